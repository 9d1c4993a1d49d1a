import { isDeepStrictEqual } from 'node:util';
import type { TrustBundleState } from '../../schemas/generated/validators.js';
import { reasonOf } from '../core/cert-error.ts';
import { Listeners } from '../core/listeners.ts';
import type { EventLog } from '../core/log.ts';
import type { EdgeEndpoints } from '../manager/edge-endpoints.ts';
import type { LookUpName } from '../outbound/name-lookup.ts';
import { mustExist } from './bundle-address.ts';
import { readHandedOver } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import { BundleGroups } from './bundle-groups.ts';
import { BundleMemory } from './bundle-memory.ts';
import {
  checkGroup,
  checkSettings,
  effectiveSettings,
  refuseLoginGroup,
} from './bundle-settings.ts';
import type { BundleState, BundleStatus, BundleVersion, DownloadRecord } from './bundle-status.ts';
import { bundleWarnings } from './bundle-warnings.ts';
import { type BundleCopy, CopyStore } from './copy-store.ts';
import { DeviceCopy } from './device-copy.ts';
import type { VerifiedManifest } from './fetch-bundle.ts';
import { countPolicy, refuseBlocked } from './policy.ts';
import { type BundleClock, PollTimer } from './poll-timer.ts';
import { pollPause, retryPause, startPause } from './schedule.ts';
import type { BundleSettings, RunTimeSettings, SettingName } from './settings.ts';
import {
  failureOf,
  shownDate,
  shownFailure,
  shownRecord,
  shownVersion,
  storedVersion,
} from './shown-state.ts';
import type { BundleEvent, LoadSource, TrustBundle } from './trust-bundle.ts';
import { differenceOf } from './version-difference.ts';

export interface BundleDependencies {
  readonly endpoints: EdgeEndpoints;
  readonly lookUp: LookUpName;
  readonly log: EventLog;
  readonly clock: BundleClock;
  /** 0 to 1 */
  readonly random: () => number;
  /** When the program was built: the time cannot be before it. */
  readonly buildTime: Date;
}

const keptDownloads = 10;

type Phase = 'checking' | 'downloading' | 'verifying';

/** One bundle: its copy, its schedule, and the groups that follow it. */
export class SignedBundle implements TrustBundle {
  readonly name: string;
  readonly #of: BundleDependencies;
  readonly #memory: BundleMemory;
  readonly #copy: DeviceCopy;
  readonly #groups: BundleGroups;
  readonly #timer: PollTimer;
  readonly #listeners: Listeners<BundleEvent>;
  #settings: BundleSettings;
  #phase: Phase | undefined;
  #running: { readonly signal: AbortSignal; readonly record: Promise<DownloadRecord> } | undefined;
  /** Ends what runs with settings that are no longer in force. */
  #current = new AbortController();
  #removedPercent: number | undefined;
  #toldStaleness = 'fresh';

  private constructor(
    settings: BundleSettings,
    dependencies: BundleDependencies,
    memory: BundleMemory,
    copy: DeviceCopy,
  ) {
    this.name = settings.name;
    this.#settings = settings;
    this.#of = dependencies;
    this.#memory = memory;
    this.#copy = copy;
    const { log, clock, endpoints } = dependencies;
    this.#listeners = new Listeners(log);
    this.#groups = new BundleGroups({
      ...{ endpoints, memory, log, now: clock.now },
      wanted: () => copy.wanted(),
      blocked: () => new Set(this.#settings.policy.blocked),
      changed: () => this.#tellStatus(),
    });
    const poll = () => this.#poll('timer').then(nothing, nothing);
    this.#timer = new PollTimer(clock, () => this.#look(), poll);
  }

  /**
   * Takes up what the directory has, and begins to poll.
   * @throws SetupError, and what the file system throws
   */
  static async open(
    settings: BundleSettings,
    directory: string,
    dependencies: BundleDependencies,
  ): Promise<SignedBundle> {
    const { log, lookUp, clock, buildTime } = dependencies;
    const copies = await CopyStore.open(directory, settings.name);
    const memory = new BundleMemory(directory, log);
    // The settings are those of the bundle as soon as there is one
    let now = () => settings;
    const copy = await DeviceCopy.open({
      ...{ copies, memory, lookUp, now: clock.now, buildTime },
      settings: () => now(),
      effective: () => effectiveSettings(now(), memory.value.settings),
    });
    const bundle = new SignedBundle(settings, dependencies, memory, copy);
    now = () => bundle.#settings;
    bundle.#groups.configure(settings.groups);
    bundle.#arm('start');
    bundle.#timer.start();
    void bundle.#groups.load();
    return bundle;
  }

  status(): BundleStatus {
    const { value: state } = this.#memory;
    const { current, staleness, isClockSuspect } = this.#copy;
    const now = this.#of.clock.now();
    const { left } = this.#timer;
    const groups = this.#groups.status();
    return {
      name: this.name,
      state: this.#state(),
      settings: this.#effective,
      version: current && storedVersion(current),
      highestRevision: this.#copy.highest?.revision ?? 0,
      serverVersion: state.server && shownVersion(state.server),
      lastCheck: shownDate(state.lastCheck),
      lastSuccess: shownDate(state.lastSuccess),
      nextPoll: left === undefined ? undefined : new Date(now + left),
      lastFailure: state.failure && shownFailure(state.failure),
      warnings: bundleWarnings({
        ...{ copy: current, now: this.#copy.time, staleness, isClockSuspect, groups },
        isEnabled: this.#effective.enabled.value,
        removedPercent: this.#removedPercent,
      }),
      staleness,
      policy: countPolicy(current, this.#settings.policy, this.#copy.seconds),
      downloads: state.downloads.map(shownRecord),
      groups,
    };
  }

  async checkServer(): Promise<BundleVersion> {
    const at = this.#of.clock.now();
    try {
      const found = await this.#copy.fetchManifest(await this.#copy.server(this.#current.signal));
      await this.#noteServer(at, found);
      return { revision: found.manifest.revision, date: found.manifest.date };
    } catch (error) {
      throw this.#asFault(error);
    }
  }

  download(): Promise<DownloadRecord> {
    return this.#poll('command');
  }

  async load(group: string, source: LoadSource): Promise<void> {
    checkGroup(group);
    refuseLoginGroup(group, this.#settings);
    if (source.kind === 'file') {
      const limit = this.#settings.limits.maxCertificates;
      const certificates = await readHandedOver(source.content, limit);
      refuseBlocked(certificates, this.#settings.policy);
      this.#groups.add(group, certificates);
    } else {
      this.#copy.refuseStale();
      await this.#groups.follow(group);
    }
    void this.#groups.load();
  }

  async set<K extends SettingName>(name: K, value: RunTimeSettings[K]): Promise<void> {
    if (value === undefined) throw new BundleFault('setting', `${name}: has no value`);
    checkSettings({ [name]: value });
    if (name === 'routingInstance') await mustExist(String(value));
    await this.#change(name, (settings) => ({ ...settings, [name]: value }));
  }

  async reset(name: SettingName): Promise<void> {
    await this.#change(name, ({ [name]: _old, ...others }) => others);
  }

  subscribe(listener: (event: BundleEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Puts other settings of the configuration in force. */
  async configure(settings: BundleSettings): Promise<void> {
    if (isDeepStrictEqual(settings, this.#settings)) return;
    const before = this.#effective;
    this.#settings = settings;
    this.#groups.configure(settings.groups);
    await this.#copy.readRoots();
    this.#supersede();
    this.#arm(isDeepStrictEqual(before, this.#effective) ? 'interval' : 'now');
    void this.#groups.load();
    this.#tellStatus();
  }

  async close(): Promise<void> {
    this.#current.abort(new BundleFault('superseded', 'the program ends'));
    await this.#running?.record.then(nothing, nothing);
    await this.#timer.close();
    await this.#groups.close();
    await this.#memory.settled();
    this.#listeners.clear();
  }

  get #effective() {
    return effectiveSettings(this.#settings, this.#memory.value.settings);
  }

  get #isPolled(): boolean {
    return this.#copy.isConfigured && this.#effective.enabled.value;
  }

  #tellStatus(): void {
    this.#listeners.tell({ kind: 'status' });
  }

  #state(): BundleState {
    if (!this.#copy.isConfigured) return 'not configured';
    if (this.#phase) return this.#phase;
    if (this.#groups.isLoading) return 'loading';
    if (!this.#effective.enabled.value) return 'deactivated';
    if (this.#memory.value.failure) return 'error';
    return this.#copy.staleness === 'fresh' ? 'idle' : 'stale';
  }

  /** What time alone changes. */
  async #look(): Promise<void> {
    const wasConfigured = this.#copy.isConfigured;
    await this.#copy.readRoots();
    if (this.#copy.isConfigured && !wasConfigured) this.#arm('now');
    const { staleness } = this.#copy;
    if (staleness === this.#toldStaleness) return;
    this.#toldStaleness = staleness;
    if (staleness !== 'fresh') this.#of.log.warn('trust bundle is stale', { bundle: this.name });
    this.#tellStatus();
  }

  /** @param when `interval`: so long after the last poll as is configured now */
  #arm(when: 'start' | 'now' | 'interval'): void {
    const { clock, random } = this.#of;
    const { nextPoll, lastCheck = 0, failures } = this.#memory.value;
    const longest = pollPause(this.#effective.intervalHours.value, this.#settings.jitterPercent, 1);
    if (!this.#isPolled) this.#timer.set(undefined);
    else if (when === 'now') this.#timer.set(0);
    else if (when === 'start' || failures > 0)
      this.#timer.set(startPause(nextPoll, clock.now(), longest, random()));
    else this.#timer.set(Math.max(0, longest - Math.max(0, clock.now() - lastCheck)));
  }

  async #change(
    name: SettingName,
    alter: (settings: TrustBundleState['settings']) => TrustBundleState['settings'],
  ): Promise<void> {
    const before = this.#effective;
    await this.#memory.change((state) => ({ ...state, settings: alter(state.settings) }));
    const isOther = !isDeepStrictEqual(before[name].value, this.#effective[name].value);
    if (isOther) {
      const isSchedule = name === 'intervalHours' || name === 'enabled';
      if (!isSchedule) this.#supersede();
      this.#arm(isSchedule ? 'interval' : 'now');
    }
    this.#tellStatus();
  }

  #supersede(): void {
    const reason = 'the settings changed while the download ran';
    this.#current.abort(new BundleFault('superseded', reason));
    this.#current = new AbortController();
  }

  /** Joins the one that runs, unless its settings are no longer in force: then it ends first. */
  #poll(trigger: DownloadRecord['trigger']): Promise<DownloadRecord> {
    const { signal } = this.#current;
    if (this.#running && !this.#running.signal.aborted) return this.#running.record;
    const before = this.#running?.record.then(nothing, nothing) ?? Promise.resolve();
    const record = before.then(() => this.#run(trigger, signal));
    const running = { signal, record };
    this.#running = running;
    const ended = () => {
      if (this.#running === running) this.#running = undefined;
    };
    record.then(ended, ended);
    return record;
  }

  async #run(trigger: DownloadRecord['trigger'], signal: AbortSignal): Promise<DownloadRecord> {
    const at = this.#of.clock.now();
    let version: { revision: number; date: number } | undefined;
    try {
      this.#enter('checking');
      const server = await this.#copy.server(signal);
      const found = await this.#copy.fetchManifest(server);
      version = { revision: found.manifest.revision, date: found.manifest.date.getTime() };
      await this.#noteServer(at, found);
      const before = this.#copy.current;
      let isUpdate = false;
      if (this.#copy.isNews(found)) {
        this.#enter('downloading');
        const after = await this.#copy.update(server, found, () => this.#enter('verifying'));
        isUpdate = before?.manifest.revision !== after.manifest.revision;
        if (isUpdate) this.#tellUpdate(before, after);
      }
      const result = isUpdate ? 'updated' : 'unchanged';
      return await this.#finish({ at, trigger, version, result }, signal);
    } catch (error) {
      const fault = this.#asFault(error);
      await this.#finish(
        { at, trigger, ...(version && { version }), result: fault.code },
        signal,
        fault,
      );
      throw fault;
    } finally {
      this.#enter(undefined);
      void this.#groups.load();
    }
  }

  #tellUpdate(before: BundleCopy | undefined, after: BundleCopy): void {
    const { added, removed, removedPercent: percent } = differenceOf(before, after);
    const { revision } = after.manifest;
    this.#removedPercent = percent > this.#settings.policy.maxRemovedPercent ? percent : undefined;
    const counts = { revision, added: added.length, removed: removed.length };
    const fields = { bundle: this.name, ...counts };
    if (this.#removedPercent === undefined) this.#of.log.info('trust bundle updated', fields);
    else this.#of.log.warn('trust bundle updated, and much of it removed', fields);
    const from = before?.manifest.revision;
    this.#listeners.tell({ kind: 'updated', from, to: revision, added, removed });
  }

  #noteServer(at: number, { manifest }: VerifiedManifest): Promise<void> {
    const server = { revision: manifest.revision, date: manifest.date.getTime() };
    return this.#memory.note((state) => ({ ...state, lastCheck: at, server }));
  }

  async #finish(
    record: TrustBundleState['downloads'][number],
    signal: AbortSignal,
    fault?: BundleFault,
  ): Promise<DownloadRecord> {
    const { clock, random, log } = this.#of;
    const isSuperseded = fault?.code === 'superseded' || signal.aborted;
    const failures = fault ? this.#memory.value.failures + 1 : 0;
    const hours = this.#effective.intervalHours.value;
    const pause = fault
      ? retryPause(failures, hours, random())
      : pollPause(hours, this.#settings.jitterPercent, random());
    // Those who changed the settings said when it is to be
    if (!isSuperseded) this.#timer.set(this.#isPolled ? pause : undefined);
    const now = clock.now();
    await this.#memory.note(({ failure, ...state }) => {
      const downloads = [record, ...state.downloads].slice(0, keptDownloads);
      const old = failure ? { failure } : {};
      if (isSuperseded) return { ...state, ...old, downloads };
      const outcome = fault ? { failure: failureOf(fault, now) } : { lastSuccess: this.#copy.time };
      const times = { lastCheck: record.at, nextPoll: now + pause };
      return { ...state, ...outcome, ...times, failures, downloads };
    });
    if (fault) {
      log.warn('trust bundle not updated', {
        bundle: this.name,
        code: fault.code,
        reason: fault.message,
      });
      this.#listeners.tell({ kind: 'update failed', code: fault.code, reason: fault.message });
    }
    return shownRecord(record);
  }

  #enter(phase: Phase | undefined): void {
    this.#phase = phase;
    this.#tellStatus();
  }

  #asFault(error: unknown): BundleFault {
    if (error instanceof BundleFault) return error;
    this.#of.log.error('trust bundle: a fault of the program', { reason: reasonOf(error) });
    return new BundleFault('internal', 'a fault of the program; its log has the details');
  }
}

const nothing = () => undefined;
