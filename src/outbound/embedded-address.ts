import { isIPv6 } from 'node:net';

/** Networks whose addresses stand for one IPv4 address, which begins at a byte of theirs. */
const embeddings: readonly (readonly [prefix: string, at: number])[] = [
  // IPv4-compatible and IPv4-mapped (RFC 4291 §2.5.5), IPv4-translated (RFC 2765 §2.1)
  ['000000000000000000000000', 12],
  ['00000000000000000000ffff', 12],
  ['0000000000000000ffff0000', 12],
  // NAT64 (RFC 6052 §2.1)
  ['0064ff9b0000000000000000', 12],
  // 6to4 (RFC 3056 §2)
  ['2002', 2],
];

/** NAT64 of a site (RFC 8215), and Teredo (RFC 4380 §4). */
const localNat64 = '0064ff9b0001';
const teredo = '20010000';

/**
 * The bytes of the IPv4 address for each length that a site may give its prefix (RFC 6052 §2.2), the
 * longest first. What is behind them is zero.
 */
const localNat64Bytes: readonly (readonly number[])[] = [
  [12, 13, 14, 15],
  [9, 10, 11, 12],
  [7, 9, 10, 11],
  [6, 7, 9, 10],
];

/**
 * The IPv4 addresses to which a packet for this IPv6 address may go in the end: none for most, and several
 * where that depends on others.
 * @param address without a zone
 */
export function embeddedAddresses(address: string): readonly string[] {
  if (!isIPv6(address)) return [];
  const bytes = bytesOf(address);
  const digits = bytes.toString('hex');
  // The unspecified address and loopback look like IPv4-compatible ones, and are none
  if (/^0{31}[01]$/.test(digits)) return [];
  if (digits.startsWith(localNat64)) return localNat64Readings(bytes);
  if (digits.startsWith(teredo)) {
    const client = bytes.subarray(12).map((byte) => byte ^ 0xff);
    return [bytes.subarray(4, 8).join('.'), client.join('.')];
  }
  const found = embeddings.find(([prefix]) => digits.startsWith(prefix));
  return found ? [bytes.subarray(found[1], found[1] + 4).join('.')] : [];
}

/** Those that begin with zero come of another length than the one in use. */
function localNat64Readings(bytes: Buffer): readonly string[] {
  return localNat64Bytes
    .filter((places) => bytes.subarray((places.at(-1) ?? 15) + 1).every((byte) => byte === 0))
    .map((places) => places.map((at) => bytes[at] ?? 0))
    .filter(([first]) => first !== 0)
    .map((four) => four.join('.'));
}

/** The 16 bytes of an IPv6 address. */
function bytesOf(address: string): Buffer {
  // The URL parser writes every notation as groups of hexadecimal digits
  const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail = ''] = groups.split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const digits = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return Buffer.from(digits.join(''), 'hex');
}
