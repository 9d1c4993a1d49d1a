import { CertError } from '../../core/cert-error.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { selectChain } from '../checks/chain.ts';
import { type CredentialCandidate, enforce, pairChecks } from '../checks/checks.ts';
import { missingIssuers } from '../checks/complete-chain.ts';
import type { Finding, LeftOut } from '../checks/findings.ts';
import { type Refusal, refusals, refuseCertificate, type Standards } from '../checks/judgement.ts';
import { warningsOf } from '../checks/warnings.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import { parseUpload, type UploadContent } from '../upload.ts';
import { type KeySource, matchKey, presumedLeaf } from './pairing.ts';

/** What may go into service at a server or client endpoint. */
export interface CredentialAdmission {
  /**
   * Every check of an upload.
   * @param issuers CAs that are about to be known, for a chain that comes without its intermediates
   * @throws CertError of the first that fails
   */
  admit(content: UploadContent, issuers?: readonly Certificate[]): Promise<CredentialCandidate>;
  /** The same for a certificate that the manager made. */
  admitGenerated(generated: CredentialCandidate): Promise<CredentialCandidate>;
  /**
   * What is in service already stays though it would not be accepted any more; why is then among its warnings.
   * @throws CertError when there is no leaf with a key that works
   */
  readStored(text: string): Promise<CredentialCandidate>;
}

export function credentialAdmission(
  type: Standards['type'],
  { limits, checks, serving, now, identity, issuers }: EndpointDependencies,
  waiting: KeySource,
): CredentialAdmission {
  const standardsOfNow = (): Standards => ({
    type,
    serving,
    policy: checks,
    now: Math.floor(now() / 1000),
  });

  const warnings = (pair: CredentialCandidate) =>
    warningsOf(type, pair, serving, identity().configured);

  /** The leaf with what certifies it, and what is to be said of it. */
  const read = async (
    content: UploadContent,
    maxCertificates: number,
    standards: Standards,
  ): Promise<Read> => {
    const upload = parseUpload(content, maxCertificates, limits.content);
    const file = upload.certificates;
    const match = await matchKey(upload, waiting, standards.now).catch((error: unknown) => {
      // As upstream, which looks for a key last
      refuseCertificate(presumedLeaf(upload), file, standards);
      throw error;
    });
    const { chain, leftOut, fault } = selectChain(match.leaf, file, standards.now);
    const faults: Refusal[] = fault === undefined ? [] : [{ code: 'chain-signature', text: fault }];
    return { pair: { ...match, chain }, file, leftOut, faults };
  };

  return {
    async admit(content, coming = []) {
      const standards = standardsOfNow();
      const found = await read(content, limits.chain, standards);
      const { leftOut, faults } = found;
      for (const { code, text } of faults) throw new CertError(code, text);
      const known = [...coming, ...(issuers?.() ?? [])];
      const { pair, file } = completed(found, known, standards.now, limits.chain);
      await judged(pair, file, standards);
      return withFindings(pair, warnings(pair), leftOut, standards);
    },
    async admitGenerated(generated) {
      const standards = standardsOfNow();
      await judged(generated, [generated.leaf], standards);
      return withFindings(generated, warnings(generated), [], standards);
    },
    async readStored(text) {
      const standards = standardsOfNow();
      const found = await read(text, Number.POSITIVE_INFINITY, standards);
      const { pair, file, leftOut, faults } = found.faults.length > 0 ? whole(found) : found;
      enforce(pairChecks, pair);
      const refused = [...faults];
      for await (const refusal of refusals(pair, file, standards)) refused.push(refusal);
      return withFindings(pair, [...refused, ...warnings(pair)], leftOut, standards);
    },
  };
}

/** @throws CertError of the first check that fails */
async function judged(
  pair: CredentialCandidate,
  file: readonly Certificate[],
  standards: Standards,
): Promise<void> {
  for await (const { code, text } of refusals(pair, file, standards))
    throw new CertError(code, text);
}

interface Read {
  readonly pair: CredentialCandidate;
  readonly file: readonly Certificate[];
  readonly leftOut: readonly LeftOut[];
  readonly faults: readonly Refusal[];
}

/** With the intermediates that the file lacks, as far as they are known. */
function completed(
  { pair, file }: Read,
  known: readonly Certificate[],
  now: number,
  maxChain: number,
): Pick<Read, 'pair' | 'file'> {
  const room = maxChain - 1 - pair.chain.length;
  const missing = missingIssuers(pair.leaf, pair.chain, known, now, room);
  return {
    pair: { ...pair, chain: [...pair.chain, ...missing] },
    file: [...file, ...missing],
  };
}

/** Where the chain cannot be told for certain, everything in the file stays, as it was served before. */
function whole(found: Read): Read {
  const { pair, file } = found;
  const chain = file.filter(({ fingerprint }) => fingerprint !== pair.leaf.fingerprint);
  return { ...found, pair: { ...pair, chain }, leftOut: [] };
}

function withFindings(
  pair: CredentialCandidate,
  warnings: readonly Finding[],
  leftOut: readonly LeftOut[],
  { now }: Standards,
): CredentialCandidate {
  const isEmpty = warnings.length === 0 && leftOut.length === 0;
  return isEmpty ? pair : { ...pair, findings: { warnings, leftOut, since: now } };
}
