import { DerError, DerSizeError } from './der.ts';

/** Deeper than any container nests; each level is a call. */
const maxDepth = 100;

const constructedBit = 0x20;
const octetStringInPieces = 0x24;

/** How many elements of ASN.1 are read, in one piece of BER or in several; each costs as much as hundreds of bytes. */
export interface ElementBudget {
  readonly max: number;
  left: number;
}

/**
 * The DER of what other systems write in BER (X.690 §8): lengths become definite and minimal, and an octet string in
 * pieces becomes one. The contents of primitive elements stay as they are.
 * @param elements is charged with the elements on all levels
 * @throws DerError for what is no BER or has more behind it, DerSizeError when the budget does not suffice
 */
export function toDer(ber: Uint8Array, elements: ElementBudget): Buffer {
  const reader: Reader = { bytes: Buffer.from(ber), at: 0, elements };
  const whole = readElement(reader, 0);
  if (!whole || reader.at !== reader.bytes.length) throw new DerError('more follows the element');
  return encodingOf(whole);
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
  readonly elements: ElementBudget;
}

interface Element {
  readonly tag: number;
  /** Of a constructed element, the DER of what is inside. */
  readonly content: Buffer;
}

/** @returns `undefined` for the two zeros that end an indefinite length */
function readElement(reader: Reader, depth: number): Element | undefined {
  if (depth > maxDepth) throw new DerSizeError(`it nests deeper than ${maxDepth} levels`);
  const { elements } = reader;
  elements.left -= 1;
  if (elements.left < 0) throw new DerSizeError(`it has more than ${elements.max} elements`);
  const tag = readByte(reader);
  // X.690 §8.1.2.4: numbers from 31 on, which no container has
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag in several bytes');
  const length = readLength(reader);
  if (tag === 0 && length === 0) return undefined;
  if ((tag & constructedBit) === 0) {
    if (length === undefined) throw new DerError('a primitive element without a length');
    return { tag, content: take(reader, length) };
  }
  const children = readChildren(reader, length, depth + 1);
  if (tag !== octetStringInPieces) return { tag, content: Buffer.concat(children.map(encodingOf)) };
  const whole = tag & ~constructedBit;
  if (children.some((child) => child.tag !== whole)) throw new DerError('no octet string');
  return { tag: whole, content: Buffer.concat(children.map(({ content }) => content)) };
}

function readChildren(reader: Reader, length: number | undefined, depth: number): Element[] {
  const end = length === undefined ? undefined : reader.at + length;
  if (end !== undefined && end > reader.bytes.length) throw new DerError('it is cut off');
  const children: Element[] = [];
  while (end === undefined || reader.at < end) {
    const child = readElement(reader, depth);
    if (child) children.push(child);
    else if (end === undefined) return children;
    else throw new DerError('an end without a beginning');
  }
  if (reader.at !== end) throw new DerError('an element is longer than what holds it');
  return children;
}

/** @returns `undefined` for the indefinite form (X.690 §8.1.3.6) */
function readLength(reader: Reader): number | undefined {
  const first = readByte(reader);
  if (first === 0x80) return undefined;
  if (first < 0x80) return first;
  return take(reader, first & 0x7f).reduce((length, byte) => length * 256 + byte, 0);
}

function readByte(reader: Reader): number {
  return take(reader, 1)[0] ?? 0;
}

function take(reader: Reader, count: number): Buffer {
  const end = reader.at + count;
  if (end > reader.bytes.length) throw new DerError('it is cut off');
  const bytes = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return bytes;
}

function encodingOf({ tag, content }: Element): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOctets(content.length), content]);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
}
