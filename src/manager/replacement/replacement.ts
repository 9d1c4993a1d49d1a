import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { asStorageError, type StagedChange } from '../change.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { ReplacementJournal } from './journal.ts';

/** Staged: found good and waiting. Active: in service, and undone again unless it is committed. */
export type ReplacementState = 'none' | 'staged' | 'active';

export interface ReplacementOptions {
  readonly id: string;
  readonly owner: string;
  /** Where it was staged, for its line in the log. */
  readonly path: string;
  readonly journal: ReplacementJournal;
  readonly changes: readonly StagedChange[];
  readonly log: EventLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each new state; after `none` it is over. */
  readonly tell: (replacement: Replacement, state: ReplacementState) => void;
}

const retryMilliseconds = 5000;

/** One replacement in two phases, from when all of its parts are found good until it is committed or undone. */
export class Replacement {
  readonly id: string;
  readonly path: string;
  readonly changes: readonly StagedChange[];
  readonly #options: ReplacementOptions;
  readonly #turn = new Mutex();
  #owner: string;
  #state: 'staged' | 'active' | 'undoing' | 'ended' = 'staged';
  #timer: NodeJS.Timeout | undefined;
  #deadline = 0;

  /** @param milliseconds after which it is undone */
  constructor(options: ReplacementOptions, milliseconds: number) {
    this.id = options.id;
    this.path = options.path;
    this.changes = options.changes;
    this.#owner = options.owner;
    this.#options = options;
    this.#limit(milliseconds);
  }

  /** Who alone may go on with it. */
  get owner(): string {
    return this.#owner;
  }

  get state(): ReplacementState {
    if (this.#state === 'ended') return 'none';
    return this.#state === 'staged' ? 'staged' : 'active';
  }

  /** When it is undone unless it is committed, in milliseconds since 1970. */
  get deadline(): number {
    return this.#deadline;
  }

  hasPartAt(endpoint: EndpointDefinition): boolean {
    return this.changes.some((change) => change.endpoint === endpoint);
  }

  /** Gives it to another owner, whose leaving does not end it unless that is told. */
  handOver(newOwner: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#owner = newOwner;
    });
  }

  /** Puts everything into service, until the deadline. @throws CertError; then all is as before */
  activate(milliseconds: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'staged') throw wrongState('it is active already');
      // A deadline that passed meanwhile would undo at once what its owner is told is active
      clearTimeout(this.#timer);
      try {
        await this.#putInService();
      } finally {
        if (this.#state === 'staged' || this.#state === 'active') this.#limit(milliseconds);
      }
      this.#options.tell(this, 'active');
    });
  }

  /** Has the deadline begin anew. */
  extend(milliseconds: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === 'undoing') throw wrongState('it is being undone');
      this.#limit(milliseconds);
      this.#options.tell(this, this.state);
    });
  }

  /** Makes what is in service the state that stays. */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'active') throw wrongState('it is not active');
      // Until now others were kept from writing on the bus, but not from writing on the disk
      for (const change of this.changes) await change.confirm().catch(asStorageError);
      await this.#options.journal.remove().catch(asStorageError);
      this.#end();
      this.#options.log.info('staged replacement committed', { path: this.path });
    });
  }

  /** Ends it in any state; what was in service before is in service again. */
  rollback(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#undo('its owner asked for it').catch((error: unknown) => {
        this.#tryAgain(error);
        throw error;
      });
    });
  }

  /** A disk that is full now may not be in a moment: it is never left in service unattended. Never rejects. */
  async undoLater(reason: string): Promise<void> {
    try {
      await this.#inTurn(() => this.#undo(reason));
    } catch (error) {
      if (this.#state !== 'ended') this.#tryAgain(error);
    }
  }

  /** @throws CertError; then it is staged as before, at an end, or being undone */
  async #putInService(): Promise<void> {
    await this.#options.journal.write(this.changes).catch(asStorageError);
    this.#state = 'active';
    try {
      // A service that is reloaded for the certificate finds the authorities that go with it
      for (const change of [...this.changes].reverse()) await change.activate();
    } catch (error) {
      const undone = this.#undo('it could not be activated');
      await undone.catch((cause: unknown) => this.#tryAgain(cause));
      throw error;
    }
  }

  /** Every part for itself: one that cannot be undone now must not keep another in service. */
  async #undo(reason: string): Promise<void> {
    const { log, journal } = this.#options;
    if (this.#state !== 'staged') {
      this.#state = 'undoing';
      const failures: unknown[] = [];
      // In order, so that endpoints that go are told in one order, too
      for (const change of this.changes)
        await change.undo().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
      log.warn('staged replacement undone', { path: this.path, reason });
    }
    await journal.remove().catch(asStorageError);
    this.#end();
  }

  #tryAgain(error: unknown): void {
    const reason = reasonOf(error);
    this.#options.log.error('staged replacement not undone, trying again', {
      path: this.path,
      reason,
    });
    this.#startTimer(retryMilliseconds);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#state = 'ended';
    for (const change of this.changes) change.release();
    this.#options.tell(this, 'none');
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    return this.#turn.run(async () => {
      if (this.#state !== 'ended') return work();
      throw new CertError('not-found', 'the replacement has ended');
    });
  }

  #limit(milliseconds: number): void {
    this.#startTimer(milliseconds);
    this.#deadline = this.#options.now() + milliseconds;
  }

  #startTimer(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.undoLater('its time is up'), milliseconds);
    this.#timer.unref();
  }
}

function wrongState(fault: string): CertError {
  return new CertError('replacement-in-progress', `the replacement cannot do that: ${fault}`);
}
