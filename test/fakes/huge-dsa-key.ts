import { encode, octetString, oid, sequence, unsignedInteger } from '../../src/x509/der.ts';

/** A DSA key in PKCS #8 whose public half takes OpenSSL half a second; it grows with the cube of the length. */
export function hugeDsaKey(bits = 10_000): Buffer {
  const odd = (length: number) => unsignedInteger(Buffer.alloc(length / 8, 0xa7));
  const parameters = sequence(odd(bits), odd(256), odd(bits - 8));
  return encode(
    sequence(
      unsignedInteger(Buffer.of(0)),
      sequence(oid('1.2.840.10040.4.1'), parameters),
      octetString(encode(odd(bits - 8))),
    ),
  );
}
