import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { type Certificate, subjectText } from '../../x509/certificate.ts';
import type { ServingProfile } from '../../x509/serving-profile.ts';
import {
  type Candidate,
  type Check,
  type CheckPolicy,
  type CredentialCandidate,
  issuerChecks,
  leafChecks,
  pairChecks,
  serverChecks,
} from './checks.ts';
import type { Finding } from './findings.ts';
import { handshakeFault } from './handshake.ts';

/** By what a credential is judged: the same for an upload, a file that others changed and a renewal. */
export interface Standards {
  readonly type: 'server' | 'client';
  readonly serving: ServingProfile;
  readonly policy: CheckPolicy;
  /** Seconds since 1970. */
  readonly now: number;
}

export interface Refusal extends Finding {
  readonly code: CertErrorCode;
}

/**
 * Every reason not to put a credential into service, in the order of the checks; a caller that takes the first only
 * pays for no more.
 * @param file the certificates of the file that it came in, whose places the texts name
 */
export async function* refusals(
  credential: CredentialCandidate,
  file: readonly Certificate[],
  standards: Standards,
): AsyncGenerator<Refusal> {
  const { type, serving } = standards;
  yield* refusalsOfOne(leafChecks, credential.leaf, file, standards);
  for (const issuer of credential.chain)
    yield* refusalsOfOne(issuerChecks, issuer, file, standards);
  yield* failures(pairChecks, credential);
  if (type === 'client') return;
  const leaf = placeOf(credential.leaf, file);
  for (const { code, text } of failures(serverChecks, { ...credential, serving }))
    yield { code, text: `${leaf}: ${text}` };
  const culprit = await handshakeCulprit(credential, serving);
  if (culprit)
    yield { code: 'tls-loadable', text: `${placeOf(culprit.certificate, file)}: ${culprit.fault}` };
}

/** What is wrong with a certificate by itself. @throws CertError for the first fault */
export function refuseCertificate(
  certificate: Certificate,
  file: readonly Certificate[],
  standards: Standards,
): void {
  for (const { code, text } of refusalsOfOne(leafChecks, certificate, file, standards))
    throw new CertError(code, text);
}

function* refusalsOfOne(
  checks: readonly Check<Candidate>[],
  leaf: Certificate,
  file: readonly Certificate[],
  { serving, policy, now }: Standards,
): Generator<Refusal> {
  const { securityLevel } = serving;
  for (const { code, text } of failures(checks, { leaf, policy, now, securityLevel }))
    yield { code, text: `${placeOf(leaf, file)}: ${text}` };
}

function* failures<T>(checks: readonly Check<T>[], candidate: T): Generator<Refusal> {
  for (const { code, fault } of checks) {
    const text = fault(candidate);
    if (text !== undefined) yield { code, text };
  }
}

/** A handshake tells no certificate, so each issuer is tried by itself where all of them together fail. */
async function handshakeCulprit(
  { leaf, chain, key }: CredentialCandidate,
  serving: ServingProfile,
): Promise<{ readonly certificate: Certificate; readonly fault: string } | undefined> {
  const fault = await handshakeFault({ leaf, chain, key }, serving);
  if (fault === undefined) return undefined;
  const alone = await handshakeFault({ leaf, chain: [], key }, serving);
  if (alone !== undefined) return { certificate: leaf, fault: alone };
  for (const certificate of chain) {
    const own = await handshakeFault({ leaf, chain: [certificate], key }, serving);
    if (own !== undefined) return { certificate, fault: own };
  }
  return { certificate: leaf, fault };
}

/** Such as `certificate 2 of 3 (CN=Old Root)`. */
function placeOf(certificate: Certificate, file: readonly Certificate[]): string {
  const at = file.findIndex(({ fingerprint }) => fingerprint === certificate.fingerprint);
  const place = at < 0 ? 'certificate' : `certificate ${at + 1} of ${file.length}`;
  return `${place} (${subjectText(certificate)})`;
}
