import { timingSafeEqual } from 'node:crypto';
import type { Certificate } from '../../x509/certificate.ts';
import { findPath, readCandidates } from '../../x509/certificate-path.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import type { PkiBody } from '../messages/body.ts';
import type { ReceivedMessage } from '../messages/pki-message.ts';
import { computeMac, isMac, type MacLimits } from './mac.ts';
import { signatureIsBy } from './signature.ts';

/** What an answer may be protected with. */
export interface AnswerRules extends MacLimits {
  /** What the request was protected with: a secret of the CA's key list, or a signature. */
  readonly secret?: { readonly reference: string; readonly value: Buffer } | undefined;
  /** The CA profile's own. */
  readonly anchors: readonly Certificate[];
  /** How much is read of certificates that come with the answer. */
  readonly content: ContentLimits;
  /** Seconds since 1970. */
  readonly now: number;
  readonly acceptUnprotected: { readonly errorMessage: boolean; readonly pkiconfMessage: boolean };
}

/**
 * Makes sure that an answer comes from the CA.
 * @returns whether it does; false for one without protection that the profile takes all the same
 * @throws EnrolmentFault `protection`
 */
export async function checkAnswer(message: ReceivedMessage, rules: AnswerRules): Promise<boolean> {
  const { header, body, protection } = message;
  const { protectionAlg } = header;
  if (!protectionAlg || !protection) {
    if (protectionAlg || protection)
      throw refused('the answer names a protection that it does not have, or the reverse');
    if (mayBeUnprotected(body, rules.acceptUnprotected)) return false;
    throw refused(`the answer has no protection: ${body.kind}`);
  }
  if (protection.unused > 0) throw refused('the protection of the answer is cut off');
  if (isMac(protectionAlg)) await checkMac(message, rules);
  else checkSignature(message, rules);
  return true;
}

/** An unprotected answer ends an attempt; it never brings a certificate. */
function mayBeUnprotected(body: PkiBody, accept: AnswerRules['acceptUnprotected']): boolean {
  switch (body.kind) {
    case 'error':
      return accept.errorMessage;
    case 'pkiconf':
      return accept.pkiconfMessage;
    case 'ip':
    case 'cp':
    case 'kup':
      return accept.errorMessage && body.value.response.every(({ status }) => status.status === 2);
    default:
      return false;
  }
}

async function checkMac(
  { header, protection, protectedPart }: ReceivedMessage,
  rules: AnswerRules,
) {
  const { secret } = rules;
  if (!secret) throw refused('the request was signed, but the answer is protected with a password');
  if (!header.protectionAlg || !protection) return;
  const expected = await computeMac(header.protectionAlg, secret.value, protectedPart, rules);
  const { bytes } = protection;
  if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) return;
  throw refused(
    `the answer is not protected with the password of reference ${secret.reference}: the password or the reference is wrong, or the answer was changed`,
  );
}

function checkSignature(
  { header, protection, protectedPart, extraCerts }: ReceivedMessage,
  rules: AnswerRules,
) {
  if (!header.protectionAlg || !protection) return;
  const candidates = [...rules.anchors, ...readCandidates(extraCerts ?? [], rules.content)];
  const { algorithm } = header.protectionAlg;
  for (const signer of candidates) {
    if (!signatureIsBy({ algorithm }, signer.publicKey, protectedPart, protection.bytes)) continue;
    const fault = signerFault(signer, candidates, rules);
    if (fault === undefined) return;
    throw refused(`the signer of the answer is not taken: ${fault}`);
  }
  throw refused(
    'the answer has no signature of the CA: it was changed, or its signer is not in it',
  );
}

/** A CA speaks for itself, and those to whom it gave the purpose (RFC 9810 §8.10). */
const cmcPurposes = ['1.3.6.1.5.5.7.3.27', '1.3.6.1.5.5.7.3.28'];

function signerFault(
  signer: Certificate,
  helpers: readonly Certificate[],
  { anchors, now }: AnswerRules,
): string | undefined {
  if (now < signer.notBefore || now > signer.notAfter) return 'it is not valid now';
  const isAnchor = anchors.some(({ fingerprint }) => fingerprint === signer.fingerprint);
  if (isAnchor) return undefined;
  const path = findPath(signer, { anchors, helpers, now });
  if (typeof path === 'string') return path;
  const mayAnswer = signer.usages.purposes?.some((purpose) => cmcPurposes.includes(purpose));
  if (signer.isCa || mayAnswer) return undefined;
  return 'it is neither a CA nor has the purpose cmcCA or cmcRA';
}

function refused(reason: string): EnrolmentFault {
  return new EnrolmentFault('protection', reason);
}
