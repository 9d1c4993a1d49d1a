/** Far above every real one; the number of an arc costs the square of its bytes to write out. */
const maxBytes = 256;
const maxBytesOfArc = 32;

/**
 * The dotted form of an object identifier (X.690 §8.19). Arcs may be as large as those of UUIDs below 2.25,
 * which no number of JavaScript can hold.
 * @param bytes the content of the element
 * @returns `undefined` when they are no identifier, or one that is larger than any in use
 */
export function readObjectIdentifier(bytes: Uint8Array): string | undefined {
  if (bytes.length > maxBytes) return undefined;
  const arcs: bigint[] = [];
  let arc = 0n;
  let length = 0;
  for (const byte of bytes) {
    // An arc has no zeros before it
    if (length === 0 && byte === 0x80) return undefined;
    length += 1;
    if (length > maxBytesOfArc) return undefined;
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0n;
    length = 0;
  }
  const [first, ...others] = arcs;
  if (first === undefined || length > 0) return undefined;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...others].join('.');
}

/** The content of the element for a dotted form. @throws SyntaxError for what is none */
export function writeObjectIdentifier(dotted: string): Buffer {
  const [root = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt);
  return Buffer.from([root * 40n + second, ...others].flatMap(bytesOfArc));
}

function bytesOfArc(arc: bigint): number[] {
  const bytes = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return bytes;
}
