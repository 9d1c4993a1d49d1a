import { isIPv6 } from 'node:net';

/** The address of the client of a connection, of IPv4 in its own form also where the server listens on IPv6; empty when it has gone. */
export function clientAddress({
  remoteAddress = '',
}: {
  remoteAddress?: string | undefined;
}): string {
  return mappedIpv4(remoteAddress) ?? remoteAddress;
}

/** Of an address such as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function mappedIpv4(address: string): string | undefined {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
}

/**
 * Who a client is for counting: IPv4 also when it comes mapped into IPv6, and of IPv6 the first 64 bits,
 * within which one machine may take any address it likes.
 */
export function addressGroup(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = mappedIpv4(plain);
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail = ''] = plain.toLowerCase().split('::');
  const before = head.split(':').filter((part) => part !== '');
  const after = tail.split(':').filter((part) => part !== '');
  const zeros = plain.includes('::') ? Math.max(0, 8 - before.length - after.length) : 0;
  const parts = [...before, ...Array<string>(zeros).fill('0'), ...after];
  const prefix = parts.slice(0, 4).map((part) => Number.parseInt(part, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}
