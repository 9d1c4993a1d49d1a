import { readObjectIdentifier } from '../object-identifier.ts';

/**
 * One element of DER, as slices of the bytes that were received: protection and hashes are computed over
 * those, never over what an encoder makes of them.
 */
export interface Element {
  /** Class, form and number (X.690 §8.1.2). */
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly der: Buffer;
}

/** The bytes are no DER, or not of the type that stands at their place. */
export class Asn1Error extends Error {
  override readonly name = 'Asn1Error';
}

export const constructed = 0x20;
export const contextClass = 0x80;
const classBits = 0xc0;

/** Deeper than any message with its certificates. */
const maxDepth = 40;

/**
 * Reads exactly one element and looks at all that is inside of it.
 * @throws Asn1Error for everything that DER (X.690 §10 and §11) forbids
 */
export function readDer(bytes: Uint8Array): Element {
  const [element, ...others] = elementsIn(Buffer.from(bytes));
  if (!element || others.length > 0) throw new Asn1Error('there is not exactly one element');
  checkInside(element, 1);
  return element;
}

/** The elements inside of a constructed one. @throws Asn1Error when it is primitive */
export function childrenOf({ tag, content }: Element): Element[] {
  if ((tag & constructed) === 0) throw new Asn1Error('an element has nothing inside of it');
  return elementsIn(content);
}

/** Puts tag and length before a content. */
export function wrap(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOctets(content.length), content]);
}

function elementsIn(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; at += elements.at(-1)?.der.length ?? 0)
    elements.push(elementAt(bytes.subarray(at)));
  return elements;
}

function elementAt(bytes: Buffer): Element {
  const [tag = 0, first] = bytes;
  if ((tag & 0x1f) === 0x1f) throw new Asn1Error('a tag has a number above 30');
  if (first === undefined) throw new Asn1Error('it ends before a length');
  const octets = first > 0x80 ? first & 0x7f : 0;
  if (first === 0x80) throw new Asn1Error('a length is indefinite');
  if (octets > 4 || bytes.length < 2 + octets) throw new Asn1Error('a length cannot be read');
  const length = octets === 0 ? first : bytes.readUIntBE(2, octets);
  if (octets > 0 && lengthOctets(length).length !== 1 + octets)
    throw new Asn1Error('a length has more bytes than it needs');
  const start = 2 + octets;
  const end = start + length;
  if (end > bytes.length) throw new Asn1Error('it ends within an element');
  return { tag, content: bytes.subarray(start, end), der: bytes.subarray(0, end) };
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const digits = length.toString(16);
  const octets = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(0x80 | octets.length), octets]);
}

function checkInside(element: Element, depth: number): void {
  if (depth > maxDepth) throw new Asn1Error(`it is nested deeper than ${maxDepth} elements`);
  const { tag, content } = element;
  if ((tag & classBits) === 0) checkUniversal(tag, content);
  if ((tag & constructed) !== 0)
    for (const child of elementsIn(content)) checkInside(child, depth + 1);
}

const sequence = 0x30;
const set = 0x31;

function checkUniversal(tag: number, content: Buffer): void {
  // EXTERNAL and the like are in no message; strings in pieces are BER (X.690 §10.2)
  if ((tag & constructed) !== 0 && tag !== sequence && tag !== set)
    throw new Asn1Error('an element is constructed whose type is not');
  if (tag === (sequence & ~constructed) || tag === (set & ~constructed))
    throw new Asn1Error('an element is primitive whose type is not');
  contentFaults[tag]?.(content);
}

/** What the content of a primitive type must be like, by universal tag. It also holds under implicit tags. */
export const contentFaults: Readonly<Record<number, (content: Buffer) => void>> = {
  1: (content) => {
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
      throw new Asn1Error('a BOOLEAN is neither true nor false');
  },
  2: (content) => {
    const [first, second = 0] = content;
    const isPadded = content.length > 1 && first === (second & 0x80 ? 0xff : 0);
    if (first === undefined || isPadded)
      throw new Asn1Error('an INTEGER does not have its shortest form');
  },
  3: (content) => {
    const [unused = 8] = content;
    const last = content.length > 1 ? (content.at(-1) ?? 0) : 0;
    const padding = (1 << unused) - 1;
    if (unused > 7 || (content.length === 1 && unused > 0) || (last & padding) !== 0)
      throw new Asn1Error('the unused bits of a BIT STRING are not zero');
  },
  5: (content) => {
    if (content.length > 0) throw new Asn1Error('a NULL is not empty');
  },
  6: (content) => {
    if (readObjectIdentifier(content) === undefined)
      throw new Asn1Error('an OBJECT IDENTIFIER cannot be read');
  },
  12: (content) => {
    if (!isUtf8(content)) throw new Asn1Error('a UTF8String is no UTF-8');
  },
};

function isUtf8(content: Buffer): boolean {
  return Buffer.from(content.toString('utf8')).equals(content);
}
