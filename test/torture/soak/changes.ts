import type { Content } from './certificates.ts';
import type { History, View } from './history.ts';
import { pick, requestLimits, type World } from './world.ts';

/** How a request turned out, in the words of neither HTTP nor D-Bus. */
export type Outcome =
  | { readonly kind: 'done'; readonly value?: string; readonly id?: string }
  | { readonly kind: 'occupied' | 'absent' | 'busy' | 'away' }
  /** Nothing of the above, in words for the reader of a report. */
  | { readonly kind: 'wrong'; readonly text: string };

/** What a client of either protocol can do. */
export interface Door {
  /** `https` or `bus`, for the tally. */
  readonly name: string;
  /** Whose state its answers show. */
  readonly view: View;
  installClient(pem: string): Promise<Outcome>;
  replace(place: 'https' | 'ldap', pem: string): Promise<Outcome>;
  deleteClient(): Promise<Outcome>;
  installAuthority(pem: string): Promise<Outcome>;
  replaceAuthority(id: string, pem: string): Promise<Outcome>;
  deleteAuthority(id: string): Promise<Outcome>;
  /** The value of a success is the request. */
  makeRequest(place: 'https' | 'ldap'): Promise<Outcome>;
}

/** Authorities at a time, more or less. */
const maxAuthorities = 25;

/** The changes that both kinds of clients make, each held against the model. */
export function changesOf(world: World, door: Door) {
  const { issuer, tally, truststore } = world;
  const kindOf = (what: string) => `${door.name} ${what}`;

  /** Counts an outcome. @returns whether it was asked for */
  const judge = (
    what: string,
    outcome: Outcome,
    began: number,
    asked: Partial<Record<Outcome['kind'], () => void>>,
  ): boolean => {
    const ended = performance.now();
    tally.done(kindOf(what), ended - began);
    if (outcome.kind === 'done') return true;
    const explain = asked[outcome.kind];
    if (explain) {
      explain();
      tally.refused(kindOf(what), outcome.kind);
      return false;
    }
    if (outcome.kind === 'away' && world.outages.overlap(began, ended)) {
      tally.refused(kindOf(what), 'away');
      return false;
    }
    const text = outcome.kind === 'wrong' ? outcome.text : outcome.kind;
    const during = world.outages.overlap(began, ended) ? ' during an outage' : '';
    tally.fault(`${kindOf(what)}${during}, ${began.toFixed(0)} to ${ended.toFixed(0)}: ${text}`);
    return false;
  };

  /** A change of a place, with the refusals that its state explains. */
  const change = async (
    what: string,
    history: History,
    value: string | undefined,
    ask: () => Promise<Outcome>,
    refusals: { readonly occupied?: 'full'; readonly absent?: 'empty' },
  ): Promise<boolean> => {
    const began = performance.now();
    const write = history.begin(door.view, value, began);
    const outcome = await ask();
    const ended = performance.now();
    const refuse = (state: 'full' | 'empty') => () => {
      write.refused = true;
      history.claim(door.view, state, began, ended);
    };
    const isDone = judge(what, outcome, began, {
      ...(refusals.occupied && { occupied: refuse(refusals.occupied) }),
      ...(refusals.absent && { absent: refuse(refusals.absent) }),
    });
    if (!isDone) return false;
    write.ended = ended;
    if (outcome.kind === 'done' && outcome.value !== undefined)
      history.read(door.view, outcome.value, began, ended);
    return true;
  };

  const place = (at: 'https' | 'ldap', content: Content) => {
    if (at === 'https' || world.random() < 0.5) {
      const isEmptied = at === 'ldap' ? ({ absent: 'empty' } as const) : {};
      const ask = () => door.replace(at, content.pem);
      return change(`replace ${at}`, world[at], content.fingerprint, ask, isEmptied);
    }
    const ask = () => door.installClient(content.pem);
    return change('install ldap', world.ldap, content.fingerprint, ask, { occupied: 'full' });
  };

  const removeAuthority = async () => {
    const id = pick(world, truststore.present);
    const history = id === undefined ? undefined : truststore.place(id);
    if (id === undefined || !history) return;
    const ask = () => door.deleteAuthority(id);
    const isDone = await change('delete authority', history, undefined, ask, { absent: 'empty' });
    if (isDone || history.writes.at(-1)?.refused === true) truststore.gone(id);
  };

  return {
    replaceServer: () => place('https', issuer.pair()),
    putClient: () => place('ldap', issuer.pair()),
    removeClient: () =>
      change('delete ldap', world.ldap, undefined, () => door.deleteClient(), { absent: 'empty' }),

    /** The list stays short: what is added to a long one goes before. */
    async addAuthority() {
      if (truststore.present.length >= maxAuthorities) await removeAuthority();
      const { pem, fingerprint } = issuer.authority();
      const began = performance.now();
      truststore.arriving.add(fingerprint);
      const outcome = await door.installAuthority(pem);
      if (!judge('install authority', outcome, began, {})) truststore.orphans.add(fingerprint);
      else if (outcome.kind === 'done' && outcome.id !== undefined) {
        const { id } = outcome;
        const fault = truststore.installed(id, fingerprint, {
          ...{ by: door.view, began, ended: performance.now() },
        });
        if (fault !== undefined) tally.fault(fault);
      }
    },

    async replaceAuthority() {
      const id = pick(world, truststore.present);
      const history = id === undefined ? undefined : truststore.place(id);
      if (!history) return;
      const { pem, fingerprint } = issuer.authority();
      const ask = () => door.replaceAuthority(id ?? '', pem);
      await change('replace authority', history, fingerprint, ask, { absent: 'empty' });
    },

    removeAuthority,

    /** A request, and its certificate put in service with the key that waited for it. */
    async request() {
      const at = world.random() < 0.5 ? 'https' : 'ldap';
      const began = performance.now();
      const end = world.csr[at].begin();
      const outcome = await door.makeRequest(at);
      const max = end();
      const asked = max > requestLimits.queuedRequests ? { busy: () => undefined } : {};
      if (!judge(`make request ${at}`, outcome, began, asked)) return;
      if (outcome.kind === 'done' && outcome.value !== undefined)
        await place(at, issuer.answer(outcome.value));
    },
  };
}
