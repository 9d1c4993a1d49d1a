import { CertError } from '../../core/cert-error.ts';
import {
  type Asn1,
  bytesOf,
  childrenOf,
  DerError,
  decode,
  tags,
  universalTag,
} from '../../x509/der.ts';

/** pvno 2 or 3 of a message of CMP (RFC 9810 §5.1.1), certReqId 0 (RFC 9483 §4.1.1), version 0 of a CSR (RFC 2986 §4.1). */
const maxFirstInteger = 3;

/**
 * Refuses everything but what CMP, CRMF and PKCS #10 sign: one DER SEQUENCE that begins with a small INTEGER, or with a
 * SEQUENCE that does. No handshake signs one: with TLS 1.3 the data begins with 64 spaces (RFC 8446 §4.4.3), with TLS 1.2
 * with the hello of the client or its random bytes (RFC 5246 §7.4.3 and §7.4.8), with SSH with a length of four bytes
 * (RFC 4253 §8). So a user who may have data signed cannot stand in for a server whose key that is. Random bytes may begin
 * a SEQUENCE, whose end the server chooses; that they also begin its small INTEGER is too improbable to wait for.
 * @throws CertError `argument-invalid`
 */
export function refuseUnlessSignable(data: Buffer): void {
  if (!isSignable(data))
    throw new CertError(
      'argument-invalid',
      'Data is not one SEQUENCE in DER as CMP, CRMF and PKCS #10 have it',
    );
}

function isSignable(data: Buffer): boolean {
  try {
    const node = decode(data);
    return universalTag(node) === tags.SEQUENCE && beginsWithSmallInteger(node);
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

function beginsWithSmallInteger(node: Asn1): boolean {
  const [first] = childrenOf(node);
  const leaf = universalTag(first) === tags.SEQUENCE ? childrenOf(first)[0] : first;
  if (universalTag(leaf) !== tags.INTEGER) return false;
  const [value = 0, ...more] = bytesOf(leaf);
  return more.length === 0 && value <= maxFirstInteger;
}
