import { encode, octetString, oid, sequence, unsignedInteger } from '../../src/x509/der.ts';
import { formatPem } from '../../src/x509/pem.ts';

/** A key that nobody encrypted, whose password takes so many rounds of PBKDF2; a billion takes minutes anywhere. */
export function slowKey(rounds: number): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(rounds);
  const parameters = sequence(octetString(Buffer.alloc(8)), unsignedInteger(count));
  const derivation = sequence(oid('1.2.840.113549.1.5.12'), parameters);
  const cipher = sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(Buffer.alloc(16)));
  const algorithm = sequence(oid('1.2.840.113549.1.5.13'), sequence(derivation, cipher));
  const key = encode(sequence(algorithm, octetString(Buffer.alloc(32))));
  return Buffer.from(formatPem('ENCRYPTED PRIVATE KEY', key));
}
