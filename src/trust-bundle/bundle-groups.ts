import { reasonOf } from '../core/cert-error.ts';
import type { EventLog } from '../core/log.ts';
import { Mutex } from '../core/mutex.ts';
import type { EdgeEndpoints } from '../manager/edge-endpoints.ts';
import type { Certificate } from '../x509/certificate.ts';
import { sha256OfCa } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import type { BundleMemory } from './bundle-memory.ts';
import type { BundleFailure, GroupStatus } from './bundle-status.ts';
import {
  emptyGroup,
  planBundleLoad,
  planFileLoad,
  type StoredGroup,
  settleIntention,
  type WantedCas,
  withoutBlocked,
} from './group-content.ts';
import { loadGroup, membersOf, type PlanLoad, settleGroup } from './load-group.ts';
import { nameCas } from './member-names.ts';
import { minute } from './schedule.ts';

/** A file that an operator handed over for a group, until it is in. */
interface FileLoad {
  readonly group: string;
  readonly certificates: readonly Certificate[];
}

const firstRetry = minute;
const lastRetry = 60 * minute;
/** Files that wait for a manager that is away. */
const maxWaitingFiles = 10;
/** Names of CAs that a group keeps which the bundle no longer has. */
const maxAbsent = 1000;
const maxGroups = 100;

export interface GroupDependencies {
  readonly endpoints: EdgeEndpoints;
  readonly memory: BundleMemory;
  readonly log: EventLog;
  readonly now: () => number;
  /** What groups are to have; `undefined` before the first download. @throws BundleFault */
  readonly wanted: () => Promise<WantedCas | undefined>;
  /** Fingerprints of CAs that no group is to have. */
  readonly blocked: () => ReadonlySet<string>;
  /** Tells that the status is another. */
  readonly changed: () => void;
}

/** Keeps groups what the bundle says, in the background, and tries again what could not be done. */
export class BundleGroups {
  readonly #of: GroupDependencies;
  readonly #turn = new Mutex();
  readonly #failures = new Map<string, BundleFailure>();
  readonly #unsubscribe: () => void;
  #configured: readonly string[] = [];
  #files: readonly FileLoad[] = [];
  #isLoading = false;
  #isClosed = false;
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(dependencies: GroupDependencies) {
    this.#of = dependencies;
    this.#unsubscribe = dependencies.endpoints.subscribe(({ kind }) => {
      if (kind === 'available') void this.load();
    });
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** The groups that the configuration names. */
  configure(groups: readonly string[]): void {
    this.#configured = groups;
  }

  /** Has a group follow the bundle from now on. @throws BundleFault `storage`, `busy` */
  async follow(group: string): Promise<void> {
    const { memory } = this.#of;
    const { groups } = memory.value;
    if (!Object.hasOwn(groups, group) && Object.keys(groups).length >= maxGroups)
      throw new BundleFault('busy', `no more than ${maxGroups} groups follow a bundle`);
    await memory.change((state) => {
      const record = state.groups[group] ?? emptyGroup;
      return { ...state, groups: { ...state.groups, [group]: { ...record, follows: true } } };
    });
  }

  /** Has the CAs of a file added to a group. @throws BundleFault `busy` */
  add(group: string, certificates: readonly Certificate[]): void {
    if (this.#files.length >= maxWaitingFiles)
      throw new BundleFault('busy', `${maxWaitingFiles} files wait for the manager already`);
    this.#files = [...this.#files, { group, certificates }];
  }

  /** Does all that there is to do, and never rejects. */
  load(): Promise<void> {
    return this.#turn.run(async () => {
      if (this.#isClosed) return;
      clearTimeout(this.#retry);
      this.#isLoading = true;
      this.#of.changed();
      try {
        await this.#loadFiles();
        await this.#removeBlocked();
        await this.#loadFollowing();
      } finally {
        this.#isLoading = false;
        this.#of.changed();
      }
      this.#retryLater();
    });
  }

  /** @throws nothing: what the manager does not tell is left out */
  status(): readonly GroupStatus[] {
    return this.#known().map((name) => this.#statusOf(name));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    clearTimeout(this.#retry);
    await this.#turn.settled();
  }

  #following(): readonly string[] {
    const { groups } = this.#of.memory.value;
    const followed = Object.keys(groups).filter((name) => groups[name]?.follows);
    return [...new Set([...this.#configured, ...followed])];
  }

  /** Those that follow, and those that files were loaded into. */
  #known(): readonly string[] {
    const { groups } = this.#of.memory.value;
    return [...new Set([...this.#following(), ...Object.keys(groups)])].sort();
  }

  async #loadFiles(): Promise<void> {
    for (const file of this.#files) {
      const code = await this.#tryGroup(file.group, (present, content) =>
        planFileLoad(present, content, file.certificates),
      );
      if (code !== 'unavailable') this.#files = this.#files.filter((one) => one !== file);
    }
  }

  /** Whatever the bundle says, and also while there is none, or it is stale. */
  async #removeBlocked(): Promise<void> {
    const { blocked, endpoints } = this.#of;
    for (const group of this.#known()) {
      const members = endpoints.isAvailable ? membersOf(endpoints, group) : undefined;
      if (members?.some((one) => blocked().has(sha256OfCa(one))))
        await this.#tryGroup(group, (present, content) =>
          withoutBlocked(present, content, blocked(), maxAbsent),
        );
    }
  }

  async #loadFollowing(): Promise<void> {
    const groups = this.#following();
    if (groups.length === 0) return;
    let wanted: WantedCas | undefined;
    try {
      wanted = await this.#of.wanted();
    } catch (error) {
      for (const group of groups) this.#fail(group, error);
      return;
    }
    if (!wanted) return;
    const cas = wanted;
    for (const group of groups) {
      if (await this.#hasLeft(group)) continue;
      await this.#tryGroup(group, (present, content) =>
        planBundleLoad(present, content, cas, maxAbsent),
      );
    }
  }

  /** A group that follows by a command and was removed at the manager follows no longer. */
  async #hasLeft(group: string): Promise<boolean> {
    const { endpoints, memory, log } = this.#of;
    try {
      const { content } = await settleGroup(endpoints, this.#records, group);
      const wasLoaded = content.revision !== undefined;
      if (!wasLoaded || membersOf(endpoints, group) || this.#configured.includes(group))
        return false;
      await memory.change(({ groups, ...state }) => {
        const { [group]: _left, ...others } = groups;
        return { ...state, groups: others };
      });
      log.info('group follows the trust bundle no longer: it was removed', { group });
      return true;
    } catch (error) {
      this.#fail(group, error);
      return false;
    }
  }

  async #tryGroup(group: string, plan: PlanLoad): Promise<string | undefined> {
    const { endpoints, log } = this.#of;
    try {
      const isChanged = await loadGroup(endpoints, this.#records, group, plan);
      this.#failures.delete(group);
      if (isChanged) log.info('group of CAs loaded', { group });
      return undefined;
    } catch (error) {
      return this.#fail(group, error);
    }
  }

  #fail(group: string, error: unknown): string {
    const { log, now } = this.#of;
    const isFault = error instanceof BundleFault;
    const code = isFault ? error.code : 'internal';
    const reason = isFault ? error.message : 'a fault of the program; its log has the details';
    if (this.#failures.get(group)?.code !== code)
      log.warn('group of CAs not loaded', { group, code, reason: reasonOf(error) });
    this.#failures.set(group, { code, reason, at: new Date(now()) });
    return code;
  }

  #retryLater(): void {
    if (this.#failures.size === 0) {
      this.#attempts = 0;
      return;
    }
    const pause = Math.min(firstRetry * 2 ** Math.min(this.#attempts, 10), lastRetry);
    this.#attempts += 1;
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => void this.load(), pause);
    this.#retry.unref();
  }

  readonly #records = {
    find: (group: string) => this.#of.memory.value.groups[group],
    write: (group: string, record: StoredGroup) =>
      this.#of.memory.change((state) => ({
        ...state,
        groups: { ...state.groups, [group]: record },
      })),
  };

  #statusOf(name: string): GroupStatus {
    const { endpoints, memory } = this.#of;
    const record = memory.value.groups[name] ?? emptyGroup;
    const present = endpoints.isAvailable ? (membersOf(endpoints, name) ?? []) : undefined;
    const { content } = present ? settleIntention(record, present) : record;
    const { revision, ours, absent } = content;
    const there = new Set(present?.map(sha256OfCa));
    const known = new Set(ours.map(({ sha256 }) => sha256));
    const manual = (present ?? []).filter((one) => !known.has(sha256OfCa(one)));
    const failure = this.#failures.get(name);
    const isLoaded = revision !== undefined || !this.#following().includes(name);
    return {
      name,
      origin: this.#configured.includes(name) ? 'configuration' : 'run time',
      state: failure ? 'error' : isLoaded ? 'loaded' : 'waiting',
      revision,
      members: [
        ...ours.map((one) => ({
          ...one,
          source: 'bundle' as const,
          state: !present || there.has(one.sha256) ? ('present' as const) : ('absent' as const),
        })),
        ...nameCas(manual, [...ours, ...absent]).map((one) => ({
          ...one,
          ...{ source: 'manual' as const, state: 'present' as const },
        })),
        ...absent.map((one) => ({
          ...one,
          ...{ source: 'bundle' as const, state: 'absent' as const },
        })),
      ],
      lastFailure: failure,
    };
  }
}
