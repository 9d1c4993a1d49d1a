import {
  type Check,
  certificateChecks,
  enforce,
  type KeyedCandidate,
  pairChecks,
  serverChecks,
} from './checks/checks.ts';
import type { EndpointType } from './endpoint.ts';
import { type KeySource, pairWithKey, presumedLeaf } from './pairing.ts';
import type { Surroundings } from './surroundings.ts';
import { parseUpload } from './upload.ts';

/** What may go into service at a server or client endpoint. */
export interface PairAdmission {
  /** Every check of an upload. @throws CertError of the first that fails */
  admit(text: string): Promise<KeyedCandidate>;
  /**
   * What is in service already stays, though it would not be accepted any more, as long as it can be
   * served. @throws CertError
   */
  readStored(text: string): Promise<KeyedCandidate>;
}

export function pairAdmission(
  type: EndpointType,
  { limits, checks, now }: Surroundings,
  waiting: KeySource,
): PairAdmission {
  const keyedChecks: readonly Check<KeyedCandidate>[] =
    type === 'server' ? serverChecks : pairChecks;
  return {
    async admit(text) {
      const upload = parseUpload(text, limits.chain);
      const common = {
        company: upload.certificates,
        now: Math.floor(now() / 1000),
        policy: checks,
      };
      enforce(certificateChecks, { ...common, leaf: presumedLeaf(upload) });
      const pair = await pairWithKey(upload, waiting);
      enforce(certificateChecks, { ...common, leaf: pair.leaf });
      enforce(keyedChecks, pair);
      return pair;
    },
    async readStored(text) {
      const pair = await pairWithKey(parseUpload(text, Number.POSITIVE_INFINITY), waiting);
      enforce(pairChecks, pair);
      return pair;
    },
  };
}
