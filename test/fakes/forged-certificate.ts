import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  type Asn1,
  bitString,
  contextConstructed,
  decode,
  encode,
  oid,
  sequence,
  setOf,
  time,
  unsignedInteger,
  utf8String,
} from '../../src/x509/der.ts';
import { type Extension, writeExtensions } from '../../src/x509/extensions.ts';
import { formatPem } from '../../src/x509/pem.ts';

/** Fields that openssl would not write as a test wants them. */
export interface Forgery {
  readonly subject?: Asn1;
  /** Content of the INTEGER. */
  readonly serial?: Uint8Array;
  /** Without one the certificate is self-issued. */
  readonly issuer?: Asn1;
  readonly publicKey?: KeyObject;
  readonly notBefore?: Asn1;
  readonly notAfter?: Asn1;
  readonly extensions?: readonly Extension[];
  /** The certificate says that it is signed with this algorithm. */
  readonly signatureAlgorithm?: string;
  /** Instead of a signature of the forger. */
  readonly signature?: Uint8Array;
}

const forger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

/** DER of a certificate with any field. The signature is good for the forger's own key
 * unless it is given. */
export function forgeCertificate(forgery: Forgery): Buffer {
  const name = forgery.subject ?? nameOf(['2.5.4.3', utf8String('forged')]);
  const algorithm = sequence(oid(forgery.signatureAlgorithm ?? '1.2.840.10045.4.3.2'));
  const tbs = sequence(
    contextConstructed(0, unsignedInteger(Buffer.of(2))),
    forgery.serial ? rawString(2, forgery.serial) : unsignedInteger(Buffer.of(7)),
    algorithm,
    forgery.issuer ?? name,
    sequence(
      forgery.notBefore ?? time(new Date('2026-01-01T00:00:00Z')),
      forgery.notAfter ?? time(new Date('2036-01-01T00:00:00Z')),
    ),
    name,
    decode((forgery.publicKey ?? forger.publicKey).export({ type: 'spki', format: 'der' })),
    ...(forgery.extensions ? [contextConstructed(3, writeExtensions(forgery.extensions))] : []),
  );
  const signature = forgery.signature ?? sign('sha256', encode(tbs), forger.privateKey);
  return encode(sequence(tbs, algorithm, bitString(signature)));
}

export function forgePem(forgery: Forgery): string {
  return formatPem('CERTIFICATE', forgeCertificate(forgery));
}

/** A Name of one-valued RDNs from object identifiers and their values. */
export function nameOf(...attributes: readonly (readonly [string, Asn1])[]): Asn1 {
  return sequence(...attributes.map(([type, value]) => setOf(sequence(oid(type), value))));
}

/** A primitive element of any universal tag. */
export function rawString(tag: number, bytes: Uint8Array): Asn1 {
  if (bytes.length > 127) throw new RangeError('short form only');
  return decode(Buffer.concat([Buffer.of(tag, bytes.length), bytes]));
}
