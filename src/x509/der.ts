import type forge from 'node-forge';
// The coder alone: the whole package is ten times as large, and nothing else of it is used
import asn1 from 'node-forge/lib/asn1.js';
import { readObjectIdentifier, writeObjectIdentifier } from './object-identifier.ts';

/**
 * DER for the structures that we make and read, over node-forge's ASN.1 coder. forge keeps bytes in
 * binary strings; only this file knows that. Signatures and keys never pass through forge.
 */
export type Asn1 = forge.asn1.Asn1;

const { Class, Type } = asn1;

/** forge's published types know only the older form of the second parameter. */
const fromDer: (bytes: string, options: object) => Asn1 = asn1.fromDer as never;

export class DerError extends Error {
  override readonly name = 'DerError';
}

/** There is more than is read; the message says how much that is. */
export class DerSizeError extends DerError {}

export function encode(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'binary');
}

/** More than any certificate has; each costs the coder as much as hundreds of bytes. */
const usualElements = 100_000;

/**
 * Decodes exactly one element.
 * @param maxElements that it may have inside, on all levels
 * @throws DerError when the bytes are anything else
 */
export function decode(der: Uint8Array, maxElements = usualElements): Asn1 {
  if (countElements(der, maxElements) > maxElements)
    throw new DerSizeError(`it has more than ${maxElements} elements`);
  try {
    const bytes = Buffer.from(der).toString('binary');
    // forge would otherwise guess at ASN.1 inside of bit strings and change what they mean
    const node = fromDer(bytes, { strict: true, parseAllBytes: true, decodeBitStrings: false });
    // forge takes BER too: indefinite lengths, long forms of short ones, padded integers
    if (encode(node).equals(Buffer.from(der))) return node;
  } catch (error) {
    throw new DerError('not valid DER', { cause: error });
  }
  throw new DerError('BER, but not DER');
}

/**
 * How many elements bytes of DER or BER have, itself included, before anything is made of them. Those that
 * are broken are counted up to where they are.
 * @param enough where to stop
 */
export function countElements(bytes: Uint8Array, enough: number): number {
  let count = 0;
  for (let at = 0; at + 1 < bytes.length && count <= enough; count += 1) {
    const [tag = 0, first = 0] = [bytes[at], bytes[at + 1]];
    // Of a constructed element, and of an octet string whose end is not known, what is inside comes next
    const isConstructed = (tag & 0x20) !== 0 || first === 0x80;
    let length = first;
    at += 2;
    if (first > 0x80) {
      length = 0;
      for (const octet of bytes.subarray(at, at + (first & 0x7f))) length = length * 256 + octet;
      at += first & 0x7f;
    }
    if (!isConstructed) at += length;
  }
  return count;
}

export function sequence(...children: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, children);
}

/** SET OF, with its elements in the order that X.690 §11.6 demands of DER. */
export function setOf(...children: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, sortedByEncoding(children));
}

/** The order of X.690 §11.6, also for a SET OF with another tag. */
export function sortedByEncoding(elements: readonly Asn1[]): Asn1[] {
  if (elements.length < 2) return [...elements];
  return elements
    .map((element) => ({ element, bytes: encode(element) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ element }) => element);
}

export function oid(dotted: string): Asn1 {
  return primitive(Type.OID, writeObjectIdentifier(dotted));
}

/** An INTEGER that is not negative, from its big-endian bytes. */
export function unsignedInteger(bytes: Uint8Array): Asn1 {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = Buffer.from(bytes.subarray(start));
  const padded =
    ((trimmed[0] ?? 0) & 0x80) !== 0 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
  return primitive(Type.INTEGER, padded);
}

export function boolean(value: boolean): Asn1 {
  return primitive(Type.BOOLEAN, Buffer.of(value ? 0xff : 0));
}

export function utf8String(text: string): Asn1 {
  return primitive(Type.UTF8, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Asn1 {
  return primitive(Type.PRINTABLESTRING, Buffer.from(text, 'latin1'));
}

export function ia5String(text: string): Asn1 {
  return primitive(Type.IA5STRING, Buffer.from(text, 'latin1'));
}

export function octetString(bytes: Uint8Array): Asn1 {
  return primitive(Type.OCTETSTRING, bytes);
}

/** @param unusedBits how many of the last byte's low bits do not count (X.690 §8.6.2.2) */
export function bitString(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return primitive(Type.BITSTRING, Buffer.concat([Buffer.of(unusedBits), bytes]));
}

/** UTCTime up to 2049 and GeneralizedTime after, as RFC 5280 §4.1.2.5 demands. */
export function time(date: Date): Asn1 {
  const digits = date.toISOString().replace(/[-:T]|\.\d{3}/g, '');
  const year = date.getUTCFullYear();
  if (year >= 1950 && year < 2050) return primitive(Type.UTCTIME, Buffer.from(digits.slice(2)));
  return primitive(Type.GENERALIZEDTIME, Buffer.from(digits));
}

/** A context-specific element that holds others: explicit tags and constructed implicit ones. */
export function contextConstructed(tag: number, ...children: Asn1[]): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, children);
}

export function contextPrimitive(tag: number, bytes: Uint8Array): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, binary(bytes));
}

/** The elements inside of a constructed one. @throws DerError when it is primitive. */
export function childrenOf(node: Asn1 | undefined): Asn1[] {
  if (!node || !Array.isArray(node.value)) throw new DerError('a constructed element was expected');
  return node.value;
}

/** The text of a BMPString, which forge has turned into UTF-16 code units already. */
export function bmpTextOf(node: Asn1): string {
  return typeof node.value === 'string' ? node.value : '';
}

/** The content of a primitive element. @throws DerError when it is constructed or absent. */
export function bytesOf(node: Asn1 | undefined): Buffer {
  if (!node || typeof node.value !== 'string') {
    throw new DerError('a primitive element was expected');
  }
  return Buffer.from(node.value, 'binary');
}

/** @throws DerError when it is no object identifier, or a broken one */
export function oidOf(node: Asn1 | undefined): string {
  const dotted = node && node.type === Type.OID ? readObjectIdentifier(bytesOf(node)) : undefined;
  if (dotted === undefined) throw new DerError('an object identifier was expected');
  return dotted;
}

/** The number of a context-specific tag, `undefined` for an element of another class. */
export function contextTag(node: Asn1 | undefined): number | undefined {
  return node && node.tagClass === Class.CONTEXT_SPECIFIC ? node.type : undefined;
}

/** The universal tag of an element, `undefined` for an element of another class. */
export function universalTag(node: Asn1 | undefined): number | undefined {
  return node && node.tagClass === Class.UNIVERSAL ? node.type : undefined;
}

/** Universal tags by their ASN.1 names (X.680 §8.4). */
export const tags = {
  BOOLEAN: 1,
  INTEGER: 2,
  BIT_STRING: 3,
  OCTET_STRING: 4,
  OBJECT_IDENTIFIER: 6,
  UTF8_STRING: 12,
  SEQUENCE: 16,
  SET: 17,
  PRINTABLE_STRING: 19,
  T61_STRING: 20,
  IA5_STRING: 22,
  UTC_TIME: 23,
  GENERALIZED_TIME: 24,
  VISIBLE_STRING: 26,
  UNIVERSAL_STRING: 28,
  BMP_STRING: 30,
} as const;

function primitive(type: forge.asn1.Type, bytes: Uint8Array): Asn1 {
  return asn1.create(Class.UNIVERSAL, type, false, binary(bytes));
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('binary');
}
