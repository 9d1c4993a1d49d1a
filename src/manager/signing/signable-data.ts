import { CertError } from '../../core/cert-error.ts';
import { DerError, decode } from '../../x509/der.ts';

/** The first byte of a SEQUENCE, which is constructed (X.690 §8.9.1). */
const sequence = 0x30;

/**
 * Refuses everything but one DER SEQUENCE. That is what CMP, CRMF and PKCS #10 sign. No handshake signs one: with TLS 1.3
 * the data begins with 64 spaces (RFC 8446 §4.4.3), with TLS 1.2 with the hello of the client or its random bytes
 * (RFC 5246 §7.4.3 and §7.4.8), with SSH with a length of four bytes (RFC 4253 §8). So a user who may have data signed
 * cannot stand in for a server whose key that is.
 * @throws CertError `argument-invalid`
 */
export function refuseUnlessSignable(data: Buffer): void {
  try {
    if (data[0] === sequence && decode(data)) return;
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
  }
  throw new CertError('argument-invalid', 'Data is not one SEQUENCE in DER');
}
