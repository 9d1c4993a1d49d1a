import type { Issuer } from './certificates.ts';
import { History, type View, type Write } from './history.ts';
import type { Outages } from './outages.ts';
import type { Tally } from './tally.ts';

export const uris = {
  https: '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates',
  ldap: '/redfish/v1/AccountService/LDAP/Certificates',
  truststore: '/redfish/v1/Managers/bmc/Truststore/Certificates',
} as const;

/** The most requests of an endpoint that the stack takes at once, and keys that it keeps. */
export const requestLimits = { queuedRequests: 6, pendingRequests: 300 } as const;

/** What all clients of a run know together. */
export interface World {
  readonly issuer: Issuer;
  readonly tally: Tally;
  readonly outages: Outages;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly https: History;
  readonly ldap: History;
  readonly truststore: Truststore;
  /** URL of somebody who takes events and forgets them. */
  readonly receiver: string;
  readonly csr: { readonly https: InFlight; readonly ldap: InFlight };
}

/** The authorities by id. */
export class Truststore {
  readonly #places = new Map<string, History>();
  readonly #present = new Set<string>();
  /** Contents whose installer was told nothing: they may be there under any id. */
  readonly orphans = new Set<string>();
  /** Fingerprints on their way, whose id their installer has not been told yet. */
  readonly arriving = new Set<string>();
  readonly #early: [view: View, id: string, value: string, began: number, ended: number][] = [];

  /** An installation was acknowledged. @returns what is wrong with it */
  installed(
    id: string,
    value: string,
    { by, began, ended }: Pick<Write, 'by' | 'began' | 'ended'>,
  ): string | undefined {
    this.arriving.delete(value);
    if (this.#places.has(id)) return `the id ${id} was given to two authorities`;
    const place = new History(`authority ${id}`, undefined);
    place.begin(by, value, began).ended = ended;
    this.#places.set(id, place);
    this.#present.add(id);
    return undefined;
  }

  /** Somebody was told that it is gone. */
  gone(id: string): void {
    this.#present.delete(id);
  }

  /** Ids that were told to somebody, of which nobody was told that they are gone. */
  get present(): readonly string[] {
    return [...this.#present];
  }

  place(id: string): History | undefined {
    return this.#places.get(id);
  }

  get ids(): readonly string[] {
    return [...this.#places.keys()];
  }

  /** What somebody read; its installer may hear of the id only later, or never. */
  read(view: View, id: string, value: string, began: number, ended: number): void {
    const place = this.#places.get(id);
    if (place) place.read(view, value, began, ended);
    else this.#early.push([view, id, value, began, ended]);
  }

  contradictions(): readonly string[] {
    const unknown = this.#early.flatMap(([view, id, value, began, ended]) => {
      const place = this.#places.get(id);
      if (place) place.read(view, value, began, ended);
      else if (!this.orphans.has(value)) return [`authority ${id}: nobody installed ${value}`];
      return [];
    });
    this.#early.length = 0;
    return [...unknown, ...[...this.#places.values()].flatMap((one) => one.contradictions())];
  }
}

/** How many requests are under way, to know when one more may be refused as too many. */
export class InFlight {
  #now = 0;
  #waiting: { max: number }[] = [];

  /** @returns ends it, and answers how many there were at most meanwhile */
  begin(): () => number {
    const mine = { max: 0 };
    this.#now += 1;
    this.#waiting.push(mine);
    for (const one of this.#waiting) one.max = Math.max(one.max, this.#now);
    return () => {
      this.#now -= 1;
      this.#waiting = this.#waiting.filter((one) => one !== mine);
      return mine.max;
    };
  }
}

export function pick<T>(world: World, list: readonly T[]): T | undefined {
  return list[Math.floor(world.random() * list.length)];
}
