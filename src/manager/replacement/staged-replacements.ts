import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertError } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import type { StagedChange } from '../change.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { UploadSource } from '../upload.ts';
import { type FindRecoverable, ReplacementJournal } from './journal.ts';
import { ReplacementRecovery } from './recovery.ts';
import { Replacement, type ReplacementState } from './replacement.ts';

/** What goes into service together. */
export interface ReplacementPart {
  readonly endpoint: Pick<Endpoint, 'definition' | 'stage'>;
  /** Absent to take all certificates away. */
  readonly content: UploadSource | undefined;
}

export interface ReplacementLimits {
  /** Seconds that a staged replacement takes at most where its owner names none. */
  readonly defaultSeconds: number;
  readonly maxSeconds: number;
}

/** The state of a staged replacement at an endpoint changed. */
export interface ReplacementEvent {
  readonly kind: 'replacement';
  readonly endpoint: EndpointDefinition;
  readonly state: ReplacementState;
}

const retryMilliseconds = 5000;

/**
 * Changes in two phases: what is staged is found good and keeps others out; what is activated is in
 * service until its owner commits it, and undone otherwise: because the owner says so, because the owner leaves,
 * because time is up, or because the manager stops in the middle. For that last case the old state lies in
 * a journal from before the first switch until the commit.
 */
export class StagedReplacements {
  readonly #log: EventLog;
  readonly #limits: () => ReplacementLimits;
  readonly #now: () => number;
  readonly #replacements = new Map<string, Replacement>();
  readonly #listeners: Listeners<ReplacementEvent>;
  readonly #recovery: ReplacementRecovery;

  /** @param now milliseconds since 1970 */
  constructor(log: EventLog, limits: () => ReplacementLimits, now: () => number = Date.now) {
    this.#log = log;
    this.#limits = limits;
    this.#now = now;
    this.#listeners = new Listeners(log);
    this.#recovery = new ReplacementRecovery(log);
  }

  /**
   * Undoes what was staged when the manager stopped. To be called before the endpoints start.
   * @returns false when the disk kept it from that, and may not do so for long: then it is to be called again
   */
  async recover(endpoints: readonly Endpoint[]): Promise<boolean> {
    let isDone = true;
    for (const { definition } of endpoints) {
      const undone = await this.#recovery.recover(definition.path, ({ type, name }) =>
        endpoints.find((one) => one.definition.type === type && one.definition.name === name),
      );
      isDone = undone && isDone;
    }
    return isDone;
  }

  /** As `recover`, for a replacement whose journal does not lie beside the files of its first part. */
  recoverAt(path: string, find: FindRecoverable): Promise<boolean> {
    return this.#recovery.recover(path, find);
  }

  /**
   * Finds all parts good and keeps others out of their endpoints.
   * @param owner who alone may go on with it
   * @param path where its journal lies; beside the files of the first part unless it is given
   * @returns the name of the replacement. @throws CertError; then nothing is held
   */
  async stage(
    owner: string,
    parts: readonly ReplacementPart[],
    seconds = 0,
    path = parts[0]?.endpoint.definition.path,
  ): Promise<string> {
    if (path === undefined) throw new TypeError('a staged replacement has at least one part');
    const milliseconds = this.#milliseconds(seconds);
    const changes: StagedChange[] = [];
    try {
      for (const { endpoint, content } of parts) changes.push(await endpoint.stage(content));
    } catch (error) {
      for (const change of changes) change.release();
      throw error;
    }
    const options = {
      id: randomBytes(8).toString('hex'),
      journal: new ReplacementJournal(path),
      tell: (one: Replacement, state: ReplacementState) => this.#tell(one, state),
      ...{ owner, path, changes, log: this.#log, now: this.#now },
    };
    const replacement = new Replacement(options, milliseconds);
    this.#replacements.set(replacement.id, replacement);
    this.#tell(replacement, 'staged');
    return replacement.id;
  }

  /**
   * A replacement under its name, or the one that was staged at an endpoint when the name is empty.
   * @param owners under which the caller may own it
   * @throws CertError `not-found`
   */
  find(
    id: string,
    { path }: Pick<EndpointDefinition, 'path'>,
    owners: readonly string[],
  ): Pick<Replacement, 'id' | 'owner' | 'state' | 'deadline'> {
    const found = [...this.#replacements.values()].find(
      (one) => owners.includes(one.owner) && (id === '' ? one.path === path : one.id === id),
    );
    if (!found) throw notFound();
    return found;
  }

  /** Hands a replacement to another owner, whose leaving does not end it unless `ownerLeft` is told. */
  async handOver(owner: string, id: string, newOwner: string): Promise<void> {
    await this.#owned(owner, id).handOver(newOwner);
  }

  /** Puts everything into service, until the deadline. @throws CertError; then all is as before */
  async activate(owner: string, id: string, seconds = 0): Promise<void> {
    const milliseconds = this.#milliseconds(seconds);
    await this.#owned(owner, id).activate(milliseconds);
  }

  /** Has its deadline begin anew. */
  async extend(owner: string, id: string, seconds: number): Promise<void> {
    const milliseconds = this.#milliseconds(seconds);
    await this.#owned(owner, id).extend(milliseconds);
  }

  /** Makes what is in service the state that stays. */
  async commit(owner: string, id: string): Promise<void> {
    await this.#owned(owner, id).commit();
  }

  /** Ends a staged replacement in any state; what was in service before is in service again. */
  async rollback(owner: string, id: string): Promise<void> {
    await this.#owned(owner, id).rollback();
  }

  /** Undoes everything of an owner who is gone. Never rejects. */
  async ownerLeft(owner: string): Promise<void> {
    await this.#undoAll((one) => one.owner === owner, 'its owner left');
  }

  /** Undoes everything that has a part at an endpoint. Resolves when nothing is left of it, and never rejects. */
  async endpointLeaves(endpoint: EndpointDefinition): Promise<void> {
    for (;;) {
      await this.#undoAll((one) => one.hasPartAt(endpoint), 'its endpoint leaves');
      if (this.stateOf(endpoint) === 'none') return;
      await sleep(retryMilliseconds);
    }
  }

  /** Undoes everything before an orderly end. Never rejects. */
  async stop(): Promise<void> {
    await this.#undoAll(() => true, 'the manager ends');
  }

  stateOf(endpoint: EndpointDefinition): ReplacementState {
    return this.#of(endpoint)?.state ?? 'none';
  }

  /** When the replacement of an endpoint is undone, in milliseconds since 1970; 0 where there is none. */
  deadlineOf(endpoint: EndpointDefinition): number {
    return this.#of(endpoint)?.deadline ?? 0;
  }

  /** The name of the replacement of an endpoint; empty where there is none. */
  idOf(endpoint: EndpointDefinition): string {
    return this.#of(endpoint)?.id ?? '';
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: ReplacementEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  async #undoAll(which: (one: Replacement) => boolean, reason: string): Promise<void> {
    const found = [...this.#replacements.values()].filter(which);
    await Promise.all(found.map((one) => one.undoLater(reason)));
  }

  #of(endpoint: EndpointDefinition): Replacement | undefined {
    return [...this.#replacements.values()].find((one) => one.hasPartAt(endpoint));
  }

  #owned(owner: string, id: string): Replacement {
    const replacement = this.#replacements.get(id);
    if (replacement?.owner === owner) return replacement;
    throw notFound();
  }

  #milliseconds(seconds: number): number {
    const { defaultSeconds, maxSeconds } = this.#limits();
    if (seconds > maxSeconds) {
      throw new CertError('argument-invalid', `Seconds is more than ${maxSeconds}`);
    }
    return (seconds || defaultSeconds) * 1000;
  }

  #tell(replacement: Replacement, state: ReplacementState): void {
    if (state === 'none') this.#replacements.delete(replacement.id);
    for (const { endpoint } of replacement.changes) {
      this.#listeners.tell({ kind: 'replacement', endpoint, state });
    }
  }
}

function notFound(): CertError {
  return new CertError(
    'not-found',
    'there is no such replacement, or it belongs to another caller',
  );
}
