import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertError, isStorageError, reasonOf } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { readAttempts } from '../../storage/retry.ts';
import type { StagedChange } from '../change.ts';
import { asStorageError } from '../change.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import { tellOwned } from '../owned-files.ts';
import type { UploadContent } from '../upload.ts';
import { ReplacementJournal } from './journal.ts';

/** Staged: found good and waiting. Active: in service, and undone again unless it is committed. */
export type ReplacementState = 'none' | 'staged' | 'active';

/** What goes into service together. */
export interface ReplacementPart {
  readonly endpoint: Endpoint;
  readonly content: UploadContent;
}

export interface ReplacementLimits {
  /** Seconds that a staged replacement takes at most where its owner names none. */
  readonly defaultSeconds: number;
  readonly maxSeconds: number;
}

interface Replacement {
  readonly id: string;
  owner: string;
  /** Path of the endpoint that it was staged at. */
  readonly path: string;
  readonly journal: ReplacementJournal;
  readonly changes: readonly StagedChange[];
  state: 'staged' | 'active' | 'undoing';
  timer: NodeJS.Timeout;
  /** When it is undone unless it is committed, in milliseconds since 1970. */
  deadline: number;
  readonly turn: Mutex;
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
  /** How often the disk kept it from undoing what is recorded at a path. */
  readonly #failures = new Map<string, number>();

  /** @param now milliseconds since 1970 */
  constructor(log: EventLog, limits: () => ReplacementLimits, now: () => number = Date.now) {
    this.#log = log;
    this.#limits = limits;
    this.#now = now;
    this.#listeners = new Listeners(log);
  }

  /**
   * Undoes what was staged when the manager stopped. To be called before the endpoints start.
   * @returns false when the disk kept it from that, and may not do so for long: then it is to be called again
   */
  async recover(endpoints: readonly Endpoint[]): Promise<boolean> {
    let isDone = true;
    for (const { definition } of endpoints) {
      const { path } = definition;
      const journal = new ReplacementJournal(path, tellOwned(this.#log));
      try {
        const undone = await journal.recover(endpoints);
        if (undone) this.#log.warn('staged replacement undone after a restart', { path });
      } catch (error) {
        this.#log.error('staged replacement cannot be undone', { path, reason: reasonOf(error) });
        const failures = this.#failures.get(path) ?? 0;
        this.#failures.set(path, failures + 1);
        if (isStorageError(error) && failures < readAttempts) isDone = false;
        else isDone = (await this.#giveUp(path, journal)) && isDone;
      }
    }
    return isDone;
  }

  /**
   * Finds all parts good and keeps others out of their endpoints.
   * @param owner who alone may go on with it
   * @returns the name of the replacement. @throws CertError; then nothing is held
   */
  async stage(owner: string, parts: readonly ReplacementPart[], seconds = 0): Promise<string> {
    const [first] = parts;
    if (!first) throw new TypeError('a staged replacement has at least one part');
    const milliseconds = this.#milliseconds(seconds);
    const changes: StagedChange[] = [];
    try {
      for (const { endpoint, content } of parts) changes.push(await endpoint.stage(content));
    } catch (error) {
      for (const change of changes) change.release();
      throw error;
    }
    const id = randomBytes(8).toString('hex');
    const { path } = first.endpoint.definition;
    const replacement: Replacement = {
      id,
      owner,
      path,
      journal: new ReplacementJournal(path),
      changes,
      state: 'staged',
      timer: this.#deadline(id, milliseconds),
      deadline: this.#now() + milliseconds,
      turn: new Mutex(),
    };
    this.#replacements.set(id, replacement);
    this.#tell(replacement, 'staged');
    return id;
  }

  /**
   * A replacement under its name, or the one that was staged at an endpoint when the name is empty.
   * @param owners under which the caller may own it
   * @throws CertError `not-found`
   */
  find(
    id: string,
    { path }: EndpointDefinition,
    owners: readonly string[],
  ): { readonly id: string; readonly owner: string } {
    const found = [...this.#replacements.values()].find(
      (one) => owners.includes(one.owner) && (id === '' ? one.path === path : one.id === id),
    );
    if (!found) throw notFound();
    return found;
  }

  /** Hands a replacement to another owner, whose leaving does not end it unless `ownerLeft` is told. */
  async handOver(owner: string, id: string, newOwner: string): Promise<void> {
    await this.#inTurn(owner, id, async (replacement) => {
      replacement.owner = newOwner;
    });
  }

  /** Puts everything into service, until the deadline. @throws CertError; then all is as before */
  async activate(owner: string, id: string, seconds = 0): Promise<void> {
    const milliseconds = this.#milliseconds(seconds);
    await this.#inTurn(owner, id, async (replacement) => {
      if (replacement.state !== 'staged') throw wrongState('it is active already');
      // A deadline that passed meanwhile would undo at once what its owner is told is active
      clearTimeout(replacement.timer);
      try {
        await this.#putInService(replacement);
      } finally {
        this.#limit(replacement, milliseconds);
      }
      this.#tell(replacement, 'active');
    });
  }

  /** Makes what is in service the state that stays. */
  async commit(owner: string, id: string): Promise<void> {
    await this.#inTurn(owner, id, async (replacement) => {
      if (replacement.state !== 'active') throw wrongState('it is not active');
      // Until now others were kept from writing on the bus, but not from writing on the disk
      for (const change of replacement.changes) await change.confirm().catch(asStorageError);
      await replacement.journal.remove().catch(asStorageError);
      this.#forget(replacement);
      this.#log.info('staged replacement committed', { path: replacement.path });
    });
  }

  /** Ends a staged replacement in any state; what was in service before is in service again. */
  async rollback(owner: string, id: string): Promise<void> {
    await this.#inTurn(owner, id, async (replacement) => {
      await this.#undo(replacement, 'its owner asked for it').catch((error: unknown) => {
        this.#tryAgain(replacement, error);
        throw error;
      });
    });
  }

  /** Undoes everything of an owner who is gone. Never rejects. */
  async ownerLeft(owner: string): Promise<void> {
    const left = [...this.#replacements.values()].filter(
      (replacement) => replacement.owner === owner,
    );
    await Promise.all(left.map(({ id }) => this.#undoLater(id, 'its owner left')));
  }

  /** Undoes everything that has a part at an endpoint. Resolves when nothing is left of it, and never rejects. */
  async endpointLeaves(endpoint: EndpointDefinition): Promise<void> {
    for (;;) {
      const left = [...this.#replacements.values()].filter((one) => hasPartAt(one, endpoint));
      await Promise.all(left.map(({ id }) => this.#undoLater(id, 'its endpoint leaves')));
      if (this.stateOf(endpoint) === 'none') return;
      await sleep(retryMilliseconds);
    }
  }

  /** Undoes everything before an orderly end. Never rejects. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#replacements.keys()].map((id) => this.#undoLater(id, 'the manager ends')),
    );
  }

  stateOf(endpoint: EndpointDefinition): ReplacementState {
    const replacement = this.#of(endpoint);
    if (!replacement) return 'none';
    return replacement.state === 'staged' ? 'staged' : 'active';
  }

  /** When the replacement of an endpoint is undone, in milliseconds since 1970; 0 where there is none. */
  deadlineOf(endpoint: EndpointDefinition): number {
    return this.#of(endpoint)?.deadline ?? 0;
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: ReplacementEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  #of(endpoint: EndpointDefinition): Replacement | undefined {
    return [...this.#replacements.values()].find((one) => hasPartAt(one, endpoint));
  }

  /** @throws CertError; then it is staged as before, at an end, or being undone */
  async #putInService(replacement: Replacement): Promise<void> {
    await replacement.journal.write(replacement.changes).catch(asStorageError);
    replacement.state = 'active';
    try {
      // A service that is reloaded for the certificate finds the authorities that go with it
      for (const change of [...replacement.changes].reverse()) await change.activate();
    } catch (error) {
      const undone = this.#undo(replacement, 'it could not be activated');
      await undone.catch((cause: unknown) => this.#tryAgain(replacement, cause));
      throw error;
    }
  }

  /** Every part for itself: one that cannot be undone now must not keep another in service. */
  async #undo(replacement: Replacement, reason: string): Promise<void> {
    const { path } = replacement;
    if (replacement.state !== 'staged') {
      replacement.state = 'undoing';
      const outcomes = await Promise.allSettled(replacement.changes.map((change) => change.undo()));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      this.#log.warn('staged replacement undone', { path, reason });
    }
    await replacement.journal.remove().catch(asStorageError);
    this.#forget(replacement);
  }

  /** A disk that is full now may not be in a moment: a staged replacement is never left in service unattended. */
  async #undoLater(id: string, reason: string): Promise<void> {
    const replacement = this.#replacements.get(id);
    if (!replacement) return;
    try {
      await this.#inTurn(replacement.owner, id, () => this.#undo(replacement, reason));
    } catch (error) {
      if (this.#replacements.has(id)) this.#tryAgain(replacement, error);
    }
  }

  #tryAgain(replacement: Replacement, error: unknown): void {
    const reason = reasonOf(error);
    const { path } = replacement;
    this.#log.error('staged replacement not undone, trying again', { path, reason });
    clearTimeout(replacement.timer);
    replacement.timer = this.#deadline(replacement.id, retryMilliseconds);
  }

  #forget(replacement: Replacement): void {
    clearTimeout(replacement.timer);
    this.#replacements.delete(replacement.id);
    for (const change of replacement.changes) change.release();
    this.#tell(replacement, 'none');
  }

  #inTurn(
    owner: string,
    id: string,
    work: (replacement: Replacement) => Promise<void>,
  ): Promise<void> {
    const replacement = this.#replacements.get(id);
    if (!replacement || replacement.owner !== owner) {
      throw notFound();
    }
    return replacement.turn.run(async () => {
      if (this.#replacements.has(id)) return work(replacement);
      throw new CertError('not-found', 'the replacement has ended');
    });
  }

  /** For one that goes on; what could not be undone has a deadline of its own. */
  #limit(replacement: Replacement, milliseconds: number): void {
    if (!this.#replacements.has(replacement.id) || replacement.state === 'undoing') return;
    replacement.timer = this.#deadline(replacement.id, milliseconds);
    replacement.deadline = this.#now() + milliseconds;
  }

  #deadline(id: string, milliseconds: number): NodeJS.Timeout {
    const timer = setTimeout(() => void this.#undoLater(id, 'its time is up'), milliseconds);
    timer.unref();
    return timer;
  }

  /** @returns false when it is still there, and would undo what is changed from now on */
  async #giveUp(path: string, journal: ReplacementJournal): Promise<boolean> {
    try {
      await journal.putAside();
      return true;
    } catch (error) {
      this.#log.error('record of a staged replacement not put aside', {
        path,
        reason: reasonOf(error),
      });
      return false;
    }
  }

  #milliseconds(seconds: number): number {
    const { defaultSeconds, maxSeconds } = this.#limits();
    if (seconds > maxSeconds) {
      throw new CertError('argument-invalid', `Seconds is more than ${maxSeconds}`);
    }
    return (seconds || defaultSeconds) * 1000;
  }

  #tell(replacement: Replacement, state: ReplacementState): void {
    for (const { endpoint } of replacement.changes) {
      this.#listeners.tell({ kind: 'replacement', endpoint, state });
    }
  }
}

function hasPartAt({ changes }: Replacement, endpoint: EndpointDefinition): boolean {
  return changes.some((change) => change.endpoint === endpoint);
}

function notFound(): CertError {
  return new CertError(
    'not-found',
    'there is no such replacement, or it belongs to another caller',
  );
}

function wrongState(fault: string): CertError {
  return new CertError('replacement-in-progress', `the replacement cannot do that: ${fault}`);
}
