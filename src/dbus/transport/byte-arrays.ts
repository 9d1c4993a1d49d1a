/** An array of bytes in the body of a message. */
export interface ByteArray {
  /** Where its first byte is. */
  readonly at: number;
  readonly length: number;
  /** Where the lengths of the arrays around it stand, and last its own. */
  readonly lengths: readonly number[];
}

/** How far a body is read. */
interface Reading {
  readonly body: Buffer;
  readonly found: ByteArray[];
  at: number;
}

/** D-Bus Specification, "Summary of D-Bus Marshalling": types whose values are as long as their boundary. */
const sizes: Readonly<Record<string, number>> = {
  ...{ y: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 },
};
const boundaries: Readonly<Record<string, number>> = {
  ...{ ...sizes, g: 1, v: 1, s: 4, o: 4, a: 4, '(': 8, '{': 8 },
};

/** @param body a little-endian one of this signature. @returns its arrays of bytes in their order */
export function byteArraysIn(signature: string, body: Buffer): readonly ByteArray[] {
  const reading: Reading = { body, found: [], at: 0 };
  passAll(signature, reading, []);
  return reading.found;
}

/** @param around where the lengths of the arrays stand that the values are in */
function passAll(signature: string, reading: Reading, around: readonly number[]): void {
  let rest = signature;
  while (rest !== '') {
    const type = firstType(rest);
    pass(type, reading, around);
    rest = rest.slice(type.length);
  }
}

function pass(type: string, reading: Reading, around: readonly number[]): void {
  const kind = type.charAt(0);
  align(reading, kind);
  const size = sizes[kind];
  if (size !== undefined) reading.at += size;
  else if (kind === 'a') passArray(type.slice(1), reading, around);
  else if (kind === 'v') passAll(signatureOf(reading), reading, around);
  else if (kind === 'g') signatureOf(reading);
  else if (kind === 's' || kind === 'o') reading.at += 4 + lengthAt(reading) + 1;
  else passAll(type.slice(1, -1), reading, around);
}

function passArray(element: string, reading: Reading, around: readonly number[]): void {
  const lengths = [...around, reading.at];
  const length = lengthAt(reading);
  reading.at += 4;
  // The length counts no padding before the first element, which is there even where no element is
  align(reading, element.charAt(0));
  const end = reading.at + length;
  if (element === 'y') reading.found.push({ at: reading.at, length, lengths });
  if (!/[av]/.test(element)) reading.at = end;
  while (reading.at < end) pass(element, reading, lengths);
}

function align(reading: Reading, kind: string): void {
  const boundary = boundaries[kind] ?? 1;
  reading.at = Math.ceil(reading.at / boundary) * boundary;
}

function lengthAt({ body, at }: Reading): number {
  return body.readUInt32LE(at);
}

function signatureOf(reading: Reading): string {
  const begin = reading.at + 1;
  const end = begin + reading.body.readUInt8(reading.at);
  reading.at = end + 1;
  return reading.body.toString('latin1', begin, end);
}

/** The first complete type of a signature. */
function firstType(signature: string): string {
  if (signature.startsWith('a')) return `a${firstType(signature.slice(1))}`;
  let depth = 0;
  for (const [at, kind] of [...signature].entries()) {
    if (kind === '(' || kind === '{') depth += 1;
    if (kind === ')' || kind === '}') depth -= 1;
    if (depth === 0) return signature.slice(0, at + 1);
  }
  return signature;
}
