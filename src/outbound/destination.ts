import type { LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { embeddedAddresses } from './embedded-address.ts';
import { isOwnAddress } from './own-address.ts';

/** Which addresses events may be pushed to besides those of the network. */
export interface AddressPolicy {
  readonly allowLoopback: boolean;
  readonly allowLinkLocal: boolean;
}

/** Why a destination is refused, as a sentence for the client. */
export class DestinationFault extends Error {
  override readonly name = 'DestinationFault';
}

/**
 * Reads a destination. Names are only looked up when an event is sent, by `reachableAddresses`.
 * @throws DestinationFault
 */
export function parseDestination(text: string, policy: AddressPolicy): URL {
  if (!/^https?:\/\/[!-~]+$/i.test(text) || !URL.canParse(text)) {
    throw new DestinationFault('It must be an absolute http or https URI');
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new DestinationFault('It must not hold a user name or password');
  }
  if (url.port === '0') throw new DestinationFault('Its port must be between 1 and 65535');
  if (url.hash !== '') throw new DestinationFault('It must not have a fragment');
  const host = hostOf(url);
  const isLocalName = /^(.+\.)?localhost\.?$/.test(host);
  if ((isIP(host) !== 0 && !mayConnect(host, policy)) || (isLocalName && !policy.allowLoopback)) {
    throw new DestinationFault(notAllowed);
  }
  return url;
}

const notAllowed = 'Events may not be sent to its address';

/** The host of a URL without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Whether events may be sent to this IP address, as far as it can be told from itself. */
export function mayConnect(address: string, policy: AddressPolicy): boolean {
  const [full = ''] = address.split('%');
  return [full, ...embeddedAddresses(full)].every((plain) => {
    const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
    if (neverAllowed.check(plain, family)) return false;
    if (loopback.check(plain, family)) return policy.allowLoopback;
    return policy.allowLinkLocal || !linkLocal.check(plain, family);
  });
}

/**
 * Whether events may be sent to this IP address now: the machine gets addresses and loses them.
 * @throws DeliveryDeferred when that cannot be told now
 */
export async function mayReach(
  address: string,
  policy: AddressPolicy,
  isOwn = isOwnAddress,
): Promise<boolean> {
  if (!mayConnect(address, policy)) return false;
  if (policy.allowLoopback) return true;
  const [full = ''] = address.split('%');
  for (const one of [address, ...embeddedAddresses(full)]) if (await isOwn(one)) return false;
  return true;
}

/**
 * Reads a destination and looks whether its address, if it has one, is the machine's own now.
 * @throws DestinationFault; DeliveryDeferred when that cannot be told now
 */
export async function checkDestination(text: string, policy: AddressPolicy): Promise<void> {
  const host = hostOf(parseDestination(text, policy));
  if (isIP(host) !== 0 && !(await mayReach(host, policy))) throw new DestinationFault(notAllowed);
}

/** A name has as many as its owner likes, and each one is looked at; the others are left out. */
const maxAddresses = 16;

/**
 * The addresses of a host that the policy allows now. What connects must take these and look nothing up
 * again, so that a name whose address changes in between leads nowhere else.
 * @param lookUp the addresses of a name
 * @throws DestinationFault when there is none; DeliveryDeferred when that cannot be told now
 */
export async function reachableAddresses(
  host: string,
  policy: AddressPolicy,
  lookUp: (name: string) => Promise<readonly LookupAddress[]>,
  isOwn = isOwnAddress,
): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  const addresses = family === 0 ? await lookUp(host) : [{ address: host, family }];
  const allowed: LookupAddress[] = [];
  for (const one of addresses.slice(0, maxAddresses)) {
    if (await mayReach(one.address, policy, isOwn)) allowed.push(one);
  }
  if (allowed.length === 0) throw new DestinationFault(notAllowed);
  return allowed;
}

type Network = readonly [string, number, 'ipv4' | 'ipv6'];

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

/** Multicast and reserved; a receiver is one machine. */
const neverAllowed = networks(
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['ff00::', 8, 'ipv6'],
);
