import { isIPv6 } from 'node:net';

/** Networks whose addresses stand for an IPv4 address, which begins at a byte of theirs. */
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

/**
 * The IPv4 address to which a packet for this IPv6 address goes in the end.
 * @param address without a zone
 * @returns `undefined` when it stands for none
 */
export function embeddedAddress(address: string): string | undefined {
  if (!isIPv6(address)) return undefined;
  const bytes = bytesOf(address);
  // The unspecified address and loopback look like IPv4-compatible ones, and are none
  if (/^0{31}[01]$/.test(bytes.toString('hex'))) return undefined;
  const found = embeddings.find(([prefix]) => bytes.toString('hex').startsWith(prefix));
  return found && bytes.subarray(found[1], found[1] + 4).join('.');
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
