import { CertError } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import { asStorageError } from '../change.ts';
import type { Endpoint } from '../endpoint.ts';
import type { StagedReplacements } from '../replacement/staged-replacements.ts';
import type { EndpointDirectory, EndpointKey } from './endpoint-directory.ts';
import { checkEndpointId } from './endpoint-id.ts';

export interface RunTimeMembersOptions {
  /** @param path of its files */
  readonly makeEndpoint: (key: EndpointKey, path: string) => Endpoint;
  readonly replacements: StagedReplacements;
  /** The most that may be there, or have keys that wait for a certificate. */
  readonly maxEndpoints: () => number;
  readonly log: EventLog;
}

/** An endpoint came or went. */
export interface RunTimeEndpointEvent {
  readonly kind: 'added' | 'removed';
  readonly endpoint: Endpoint;
}

/** An endpoint of run time; one that is not present may have keys that wait for its first certificate. */
export interface Member {
  readonly key: EndpointKey;
  readonly endpoint: Endpoint;
  isPresent: boolean;
}

/** Which endpoints of run time are known, and which of them are there. Changes come one after another. */
export class RunTimeMembers {
  readonly #options: RunTimeMembersOptions;
  readonly #directory: EndpointDirectory;
  readonly #members = new Map<string, Member>();
  readonly #listeners: Listeners<RunTimeEndpointEvent>;

  constructor(directory: EndpointDirectory, options: RunTimeMembersOptions) {
    this.#options = options;
    this.#directory = directory;
    this.#listeners = new Listeners(options.log);
  }

  get all(): readonly Member[] {
    return [...this.#members.values()];
  }

  find(key: EndpointKey): Member | undefined {
    return this.#members.get(nameOf(key));
  }

  /** The one with this key, which is made where none is known. */
  at({ type, name }: EndpointKey): Member {
    const key = { type, name };
    const known = this.find(key);
    if (known) return known;
    const endpoint = this.#options.makeEndpoint(key, this.#directory.pathOf(key));
    const member = { key, endpoint, isPresent: false };
    this.#members.set(nameOf(key), member);
    return member;
  }

  /** The same, with a started endpoint. @throws CertError `argument-invalid`, `limit-reached`, `storage` */
  async admit(key: EndpointKey): Promise<Member> {
    checkEndpointId(key.name);
    const known = this.find(key);
    if (known) return known;
    const max = this.#options.maxEndpoints();
    if (this.#members.size >= max) await this.forgetUnused().catch(asStorageError);
    if (this.#members.size >= max)
      throw new CertError('limit-reached', `there are ${max} endpoints already`);
    const member = this.at(key);
    await member.endpoint.start();
    return member;
  }

  /** The endpoint ends; its files stay. */
  drop({ key, endpoint }: Member): void {
    endpoint.stop();
    this.#members.delete(nameOf(key));
  }

  /** Forgets those that are not there, and of which nothing is kept or under way. */
  async forgetUnused(): Promise<void> {
    for (const member of this.all) {
      const { key, endpoint, isPresent } = member;
      if (isPresent || this.#isReplaced(member) || !(await endpoint.requests.isEmpty())) continue;
      this.drop(member);
      await this.#directory.remove(key).catch(() => undefined);
    }
  }

  async appear(member: Member): Promise<void> {
    await this.#directory.makePresent(member.key);
    this.show(member);
  }

  show(member: Member): void {
    member.isPresent = true;
    this.#listeners.tell({ kind: 'added', endpoint: member.endpoint });
  }

  hide(member: Member): void {
    member.isPresent = false;
    this.#listeners.tell({ kind: 'removed', endpoint: member.endpoint });
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: RunTimeEndpointEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @throws CertError `not-found`, `already-installed` */
  mustBe({ key, isPresent }: Member, wanted: boolean): void {
    if (isPresent === wanted) return;
    if (wanted) throw new CertError('not-found', `there is no endpoint ${nameOf(key)}`);
    throw new CertError('already-installed', `there is an endpoint ${nameOf(key)} already`);
  }

  /** @throws CertError `replacement-in-progress` */
  refuseReplaced(member: Member): void {
    if (!this.#isReplaced(member)) return;
    throw new CertError(
      'replacement-in-progress',
      'a staged replacement of the endpoint is in progress; it must be committed or undone first',
    );
  }

  #isReplaced({ endpoint: { definition } }: Member): boolean {
    return this.#options.replacements.stateOf(definition) !== 'none';
  }
}

function nameOf({ type, name }: EndpointKey): string {
  return `${type}/${name}`;
}
