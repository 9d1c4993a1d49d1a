import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { codeOf } from '../storage/io-errors.ts';
import { addressesInFile } from './hosts-file.ts';
import { type LookUpName, type NameLimit, tooLate } from './name-limit.ts';
import { SystemLookups } from './system-lookups.ts';
import { unlessOver, withinTime } from './time-limit.ts';

export interface NameSources {
  /** hosts(5). */
  readonly hosts?: string;
  /** Servers of DNS with their ports; those of the system unless given. */
  readonly servers?: readonly string[];
  readonly system?: LookUpName;
}

/**
 * Looks names up so that one that nobody answers for holds up no other: first in the file of hosts, then in
 * DNS, without a thread and with an end; see docs/decisions/2026-11-22-names-of-receivers.md. The system is
 * asked for the rest: names in search domains, in multicast DNS, and what else its nsswitch.conf knows.
 */
export function nameLookup({
  hosts = '/etc/hosts',
  servers,
  system,
}: NameSources = {}): LookUpName {
  const lookups = new SystemLookups();
  const askSystem = system ?? ((name, limit) => lookups.addressesOf(name, limit));
  return async (text, limit) => {
    limit.signal.throwIfAborted();
    const name = text.toLowerCase().replace(/\.$/, '');
    const listed = await addressesInFile(hosts, name);
    if (listed.length > 0) return listed;
    const found = isOfDns(name) ? await askDns(name, servers, limit) : [];
    return found.length > 0 ? found : askSystem(name, limit);
  };
}

/** RFC 6762 §3 has `local` for multicast DNS; a name without a dot is one of a search domain. */
function isOfDns(name: string): boolean {
  return name.includes('.') && !name.endsWith('.local');
}

/** A try doubles its time with each round through the servers. */
const tries = { timeout: 2000, tries: 3 };

/** How long the addresses of one family wait for those of the other: some servers never answer for IPv6. */
const otherFamilyMilliseconds = 1000;

/** DNS has no such name, or there is no server: then the system may still know it. */
const unknownThere = ['ENOTFOUND', 'ENODATA', 'ECONNREFUSED'];

/** @returns nothing for a name that is not in DNS */
function askDns(
  name: string,
  servers: readonly string[] | undefined,
  { milliseconds, signal }: NameLimit,
): Promise<readonly LookupAddress[]> {
  // A new one each time: the servers may be others than a moment ago
  const resolver = new Resolver(tries);
  if (servers) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  return withinTime({ milliseconds, signal, late: tooLate }, async (over) => {
    over.throwIfAborted();
    over.addEventListener('abort', cancel);
    let patience: NodeJS.Timeout | undefined;
    const ask = async (family: 4 | 6): Promise<readonly LookupAddress[]> => {
      const found = await (family === 6 ? resolver.resolve6(name) : resolver.resolve4(name));
      patience ??= setTimeout(cancel, otherFamilyMilliseconds).unref();
      return found.map((address) => ({ address, family }));
    };
    const answers = await unlessOver(over, Promise.allSettled([ask(6), ask(4)]));
    clearTimeout(patience);
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (found.length > 0) return found;
    const reasons = answers.map((one) => (one.status === 'rejected' ? one.reason : undefined));
    const failure = reasons.find((one) => !unknownThere.includes(codeOf(one)));
    if (failure) throw failure;
    return [];
  });
}
