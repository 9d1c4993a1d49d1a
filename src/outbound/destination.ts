import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { type AddressPolicy, mayConnect, mayReach } from './address-policy.ts';
import type { isOwnAddress } from './own-address.ts';

/** Why a destination is refused, as a sentence for the client. */
export class DestinationFault extends Error {
  override readonly name = 'DestinationFault';
}

const notAllowed = 'Requests may not be sent to its address';

/**
 * Reads a destination. Names are only looked up when a request is sent, by `reachableAddresses`.
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

/** The host of a URL without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/**
 * Reads a destination and looks whether its address, if it has one, is the machine's own now.
 * @throws DestinationFault; RequestDeferred when that cannot be told now
 */
export async function checkDestination(text: string, policy: AddressPolicy): Promise<void> {
  const host = hostOf(parseDestination(text, policy));
  if (isIP(host) !== 0 && !(await mayReach(host, policy))) throw new DestinationFault(notAllowed);
}

/** A name has as many as its owner likes, and each one is looked at; the others are left out. */
const maxAddresses = 16;

/**
 * The addresses of a host that the policy allows now. The connection must take these and look nothing up
 * again, so that a name whose address changes in between leads nowhere else.
 * @param lookUp the addresses of a name
 * @throws DestinationFault when there is none; RequestDeferred when that cannot be told now
 */
export async function reachableAddresses(
  host: string,
  policy: AddressPolicy,
  lookUp: (name: string) => Promise<readonly LookupAddress[]>,
  isOwn?: typeof isOwnAddress,
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
