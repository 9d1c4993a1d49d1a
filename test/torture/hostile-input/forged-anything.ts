import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  type Asn1,
  bitString,
  decode,
  encode,
  oid,
  sequence,
  time,
  unsignedInteger,
  utf8String,
} from '../../../src/x509/der.ts';
import { formatPem } from '../../../src/x509/pem.ts';

/** An element with its tag and whatever content, in bytes: nothing here keeps to any rule. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

/** The length octets, with more of them than are needed if so wanted. */
export function lengthOf(length: number, octets = 0): Buffer {
  if (length < 0x80 && octets === 0) return Buffer.of(length);
  const hex = length.toString(16);
  const least = Math.ceil(hex.length / 2);
  const count = Math.max(least, octets);
  return Buffer.concat([Buffer.of(0x80 | count), Buffer.from(hex.padStart(count * 2, '0'), 'hex')]);
}

export const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
export const keyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const ecdsaWithSha256 = encode(sequence(oid('1.2.840.10045.4.3.2')));

export function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

export function nameOf(...values: readonly (readonly [type: string, value: Uint8Array])[]): Buffer {
  const sets = values.map(([type, value]) =>
    element(0x31, element(0x30, encode(oid(type)), value)),
  );
  return element(0x30, ...sets);
}

export const commonName = '2.5.4.3';
export const plainName = nameOf([commonName, encode(utf8String('nasty'))]);

export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  const flag = critical ? [Buffer.of(1, 1, 0xff)] : [];
  return element(0x30, encode(oid(id)), ...flag, element(0x04, value));
}

export const isCa = extension('2.5.29.19', Buffer.of(0x30, 3, 1, 1, 0xff), true);

/** The fields of a certificate, each in bytes; what is not given is as it should be. */
export interface Fields {
  readonly version?: Buffer;
  readonly serial?: Buffer;
  readonly innerAlgorithm?: Buffer;
  readonly outerAlgorithm?: Buffer;
  readonly issuer?: Buffer;
  readonly validity?: Buffer;
  readonly subject?: Buffer;
  readonly key?: Buffer;
  readonly extensions?: readonly Buffer[] | 'none';
}

const validity = encode(
  sequence(time(new Date('2026-01-01T00:00:00Z')), time(new Date('2036-01-01T00:00:00Z'))),
);

/** A certificate of these fields, a self-issued CA unless they say otherwise, signed with `pair`. */
export function forge(fields: Fields = {}): Buffer {
  const { extensions = [isCa] } = fields;
  const subject = fields.subject ?? plainName;
  const tbs = element(
    0x30,
    fields.version ?? Buffer.of(0xa0, 3, 2, 1, 2),
    fields.serial ?? encode(unsignedInteger(Buffer.of(7))),
    fields.innerAlgorithm ?? ecdsaWithSha256,
    fields.issuer ?? subject,
    fields.validity ?? validity,
    subject,
    fields.key ?? spki(pair.publicKey),
    ...(extensions === 'none' ? [] : [element(0xa3, element(0x30, ...extensions))]),
  );
  return signed(tbs, fields.outerAlgorithm);
}

export function signed(tbs: Buffer, algorithm = ecdsaWithSha256): Buffer {
  const signature = sign('sha256', tbs, pair.privateKey);
  return element(0x30, tbs, algorithm, encode(bitString(signature)));
}

export function pem(der: Uint8Array): string {
  return formatPem('CERTIFICATE', der);
}

/** An RSA key of any numbers. */
export function rsaKey(modulus: Uint8Array, exponent: Uint8Array): Buffer {
  const numbers = sequence(unsignedInteger(modulus), unsignedInteger(exponent));
  return encode(
    sequence(
      algorithm('1.2.840.113549.1.1.1', decode(Buffer.of(5, 0))),
      bitString(encode(numbers)),
    ),
  );
}

/** An EC key with any parameters and any point. */
export function ecKey(parameters: Asn1, point: Uint8Array): Buffer {
  return encode(sequence(algorithm('1.2.840.10045.2.1', parameters), bitString(point)));
}

function algorithm(id: string, parameters: Asn1): Asn1 {
  return sequence(oid(id), parameters);
}

/** Empty elements within each other. */
export function nested(depth: number): Buffer {
  const heads: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < depth; level += 1) {
    const head = Buffer.concat([Buffer.of(0x30), lengthOf(length)]);
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat(heads.reverse());
}
