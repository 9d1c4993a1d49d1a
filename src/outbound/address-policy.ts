import { BlockList, isIP } from 'node:net';
import { isOwnAddress } from './own-address.ts';

/** Which addresses may be called besides those of the network. */
export interface AddressPolicy {
  readonly allowLoopback: boolean;
  readonly allowLinkLocal: boolean;
}

/** Whether an IP address may be called, as far as it can be told from itself. */
export function mayConnect(address: string, policy: AddressPolicy): boolean {
  const plain = withoutZone(address);
  const judged = nat64Target(plain) ?? plain;
  const family = isIP(judged) === 6 ? 'ipv6' : 'ipv4';
  if (loopback.check(judged, family)) return policy.allowLoopback;
  if (linkLocal.check(judged, family)) return policy.allowLinkLocal;
  return unicast.check(judged, family) && !excluded.check(judged, family);
}

/**
 * Whether an IP address may be called now: the machine gets addresses and loses them.
 * @throws RequestDeferred when that cannot be told now
 */
export async function mayReach(
  address: string,
  policy: AddressPolicy,
  isOwn = isOwnAddress,
): Promise<boolean> {
  if (!mayConnect(address, policy)) return false;
  if (policy.allowLoopback) return true;
  if (await isOwn(address)) return false;
  const target = nat64Target(withoutZone(address));
  return target === undefined || !(await isOwn(target));
}

function withoutZone(address: string): string {
  return address.split('%')[0] ?? '';
}

/** The IPv4 address that an address of NAT64 with the well-known prefix leads to (RFC 6052 §2.1). */
function nat64Target(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  // The URL parser writes every notation alike
  const { hostname } = new URL(`http://[${address}]/`);
  const [found, high = '', low = ''] =
    /^\[64:ff9b::(?:([\da-f]{1,4}):)?([\da-f]{0,4})\]$/.exec(hostname) ?? [];
  if (found === undefined) return undefined;
  return [high, low]
    .map((group) => Number(`0x0${group}`))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}

type Network = readonly [string, number, 'ipv4' | 'ipv6'];

/** A list of IPv4 networks also holds their IPv4-mapped addresses (RFC 4291 §2.5.5.2). */
function networks(...entries: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) list.addSubnet(...entry);
  return list;
}

/** The unspecified address reaches the machine itself. */
const loopback = networks(
  ['127.0.0.0', 8, 'ipv4'],
  ['0.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['::', 128, 'ipv6'],
);

/** With what was for one site once (RFC 3879). */
const linkLocal = networks(
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
);

/** All of IPv4, and of IPv6 the global (RFC 4291 §2.4) and the unique local addresses (RFC 4193). */
const unicast = networks(['0.0.0.0', 0, 'ipv4'], ['2000::', 3, 'ipv6'], ['fc00::', 7, 'ipv6']);

/** Multicast and reserved; and Teredo and 6to4, which lead to IPv4 addresses within (RFC 4380, RFC 3056). */
const excluded = networks(
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['2001::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
);
