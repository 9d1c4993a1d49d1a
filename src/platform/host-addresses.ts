import { networkInterfaces } from 'node:os';

/** Addresses of this host. Link-local IPv6 addresses are left out: they mean nothing outside of their link. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:'));
}
