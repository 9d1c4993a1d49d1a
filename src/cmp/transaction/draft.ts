import { hash } from 'node:crypto';
import { childrenOf, readDer } from '../../x509/asn1/element.ts';
import { generalizedTimeOf } from '../../x509/asn1/primitives.ts';
import { readAs } from '../../x509/asn1/structure.ts';
import type { PkiBody } from '../messages/body.ts';
import { algorithmIdentifier } from '../messages/certificate-request.ts';
import type { PkiHeader } from '../messages/pki-message.ts';
import { digestOfSignature } from '../protection/signature.ts';
import type { Confirmation, Exchange, FollowingTransaction } from './transaction.ts';

export interface Draft {
  readonly header: Omit<PkiHeader, 'protectionAlg' | 'senderKid'>;
  readonly body: PkiBody;
}

/**
 * The message that a transaction sends next.
 * @param sender GeneralName
 */
export function draftOf(
  { transactionId, ourNonce, peerNonce, recipient }: Exchange,
  body: PkiBody,
  sender: Buffer,
  now: Date,
): Draft {
  const header = {
    pvno: 2,
    sender,
    recipient,
    messageTime: generalizedTimeOf(now),
    transactionId,
    senderNonce: ourNonce,
    recipNonce: peerNonce,
  };
  return { header, body };
}

/** What follows the request. */
export function followUp(transaction: FollowingTransaction): PkiBody {
  if (transaction.phase === 'polling')
    return { kind: 'pollReq', value: [{ certReqId: transaction.certReqId }] };
  return { kind: 'certConf', value: [certStatus(transaction)] };
}

const rejection = 2;

function certStatus({ certificate, fault }: Confirmation) {
  const certHash = certificateHash(certificate);
  if (fault === undefined) return { certHash, certReqId: 0 };
  return { certHash, certReqId: 0, statusInfo: { status: rejection, statusString: [fault] } };
}

/** RFC 9810 §5.3.18: by the digest of the certificate's own signature, over the bytes as they were received. */
export function certificateHash(certificate: Buffer): Buffer {
  const [, signature] = childrenOf(readDer(certificate));
  const { algorithm } = readAs(algorithmIdentifier, signature?.der ?? Buffer.alloc(0));
  // One of another algorithm is refused, and a refusal needs some hash too
  const digest = digestOfSignature(algorithm) ?? 'sha256';
  return hash(digest, certificate, 'buffer');
}
