import { isIP } from 'node:net';
import { DestinationFault, parseDestination } from '../outbound/destination.ts';
import { canSendFrom } from '../outbound/own-address.ts';
import { BundleFault } from './bundle-fault.ts';

/** The administrator names the server, wherever it is: what it sends is signed. */
export const everywhere = { allowLoopback: true, allowLinkLocal: true };

/** Where bundles are on a server that is named by its host alone. */
const defaultPath = '/cacert';

/**
 * The address below which manifest and target are; it ends with a slash.
 * @param text a URL, or a host with or without port and path, which is asked by http
 * @throws BundleFault `setting`
 */
export function baseUrl(text: string): URL {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const isHostAlone = !hasScheme && !text.includes('/');
  const full = hasScheme ? text : `http://${text}${isHostAlone ? defaultPath : ''}`;
  try {
    const url = parseDestination(full, everywhere);
    if (url.search !== '') throw new DestinationFault('It must not have a query');
    if (!url.pathname.endsWith('/')) url.pathname += '/';
    return url;
  } catch (cause) {
    if (!(cause instanceof DestinationFault)) throw cause;
    throw new BundleFault('setting', `url: it is no address of a server. ${cause.message}`);
  }
}

/**
 * The address that requests are sent from; `undefined` for what the system chooses.
 * @throws BundleFault `setting`
 */
export function sourceAddress(routingInstance: string): string | undefined {
  if (routingInstance === '') return undefined;
  const [, kind, value = ''] = /^([a-z]+):(.*)$/.exec(routingInstance) ?? [];
  if (kind === 'addr' && isIP(value) !== 0) return value;
  const message =
    kind === 'netns' || kind === 'vrf'
      ? `routingInstance: ${kind} is not offered yet; name a source address as addr:IP`
      : `routingInstance: ${routingInstance} is none; name a source address as addr:IP`;
  throw new BundleFault('setting', message);
}

/** @throws BundleFault `routing-instance` when this host does not have the address */
export async function mustExist(routingInstance: string): Promise<void> {
  const address = sourceAddress(routingInstance);
  if (address === undefined || (await canSendFrom(address))) return;
  const message = `routingInstance: this host does not have the address ${address}`;
  throw new BundleFault('routing-instance', message);
}
