import { randomBytes } from 'node:crypto';
import { CertError, isStorageError, reasonOf } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';
import type { StagedChange } from '../change.ts';
import { asStorageError, patience } from '../change.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import { tellOwned } from '../owned-files.ts';
import { TrialJournal } from './journal.ts';

/** Staged: found good and waiting. Active: in service, and undone again unless it is committed. */
export type TrialState = 'none' | 'staged' | 'active';

/** What goes into service together. */
export interface TrialPart {
  readonly endpoint: Endpoint;
  readonly text: string;
}

export interface TrialLimits {
  /** Seconds that a trial takes at most where its owner names none. */
  readonly defaultSeconds: number;
  readonly maxSeconds: number;
}

interface Trial {
  readonly id: string;
  readonly owner: string;
  /** Path of the endpoint that it was staged at. */
  readonly path: string;
  readonly journal: TrialJournal;
  readonly changes: readonly StagedChange[];
  state: 'staged' | 'active' | 'undoing';
  timer: NodeJS.Timeout;
  /** What is being done with it, one after another. */
  turn: Promise<unknown>;
}

/** The state of a trial at an endpoint changed. */
export interface TrialEvent {
  readonly kind: 'trial';
  readonly endpoint: EndpointDefinition;
  readonly state: TrialState;
}

const retryMilliseconds = 5000;

/**
 * Changes in two phases: what is staged is found good and keeps others out; what is activated is in
 * service until its owner commits it, and undone when he does not: because he says so, because he leaves,
 * because time is up, or because the manager stops in the middle. For that last case the old state lies in
 * a journal from before the first switch until the commit.
 */
export class StagedReplacements {
  readonly #log: EventLog;
  readonly #limits: TrialLimits;
  readonly #trials = new Map<string, Trial>();
  readonly #listeners: Listeners<TrialEvent>;
  /** How often `recover` was called. */
  #recoveries = 0;

  constructor(log: EventLog, limits: TrialLimits) {
    this.#log = log;
    this.#limits = limits;
    this.#listeners = new Listeners(log);
  }

  /**
   * Undoes what was on trial when the manager stopped. To be called before the endpoints start.
   * @returns false when the disk kept it from that, and may not do so for long: then it is to be called again
   */
  async recover(endpoints: readonly Endpoint[]): Promise<boolean> {
    let isDone = true;
    for (const { definition } of endpoints) {
      const { path } = definition;
      const journal = new TrialJournal(path, tellOwned(this.#log));
      try {
        const undone = await journal.recover(endpoints);
        if (undone) this.#log.warn('change on trial undone after a restart', { path });
      } catch (error) {
        this.#log.error('change on trial cannot be undone', { path, reason: reasonOf(error) });
        if (isStorageError(error) && this.#recoveries < patience) isDone = false;
        else isDone = (await this.#giveUp(path, journal)) && isDone;
      }
    }
    this.#recoveries += 1;
    return isDone;
  }

  /**
   * Finds all parts good and keeps others out of their endpoints.
   * @param owner who alone may go on with it
   * @returns the name of the trial. @throws CertError; then nothing is held
   */
  async stage(owner: string, parts: readonly TrialPart[], seconds = 0): Promise<string> {
    const [first] = parts;
    if (!first) throw new TypeError('a trial has at least one part');
    const milliseconds = this.#milliseconds(seconds);
    const changes: StagedChange[] = [];
    try {
      for (const { endpoint, text } of parts) changes.push(await endpoint.stage(text));
    } catch (error) {
      for (const change of changes) change.release();
      throw error;
    }
    const id = randomBytes(8).toString('hex');
    const { path } = first.endpoint.definition;
    const trial: Trial = {
      id,
      owner,
      path,
      journal: new TrialJournal(path),
      changes,
      state: 'staged',
      timer: this.#deadline(id, milliseconds),
      turn: Promise.resolve(),
    };
    this.#trials.set(id, trial);
    this.#tell(trial, 'staged');
    return id;
  }

  /** Puts everything into service, until the deadline. @throws CertError; then all is as before */
  async activate(owner: string, id: string, seconds = 0): Promise<void> {
    const milliseconds = this.#milliseconds(seconds);
    await this.#inTurn(owner, id, async (trial) => {
      if (trial.state !== 'staged') throw wrongState('it is active already');
      // A deadline that passed meanwhile would undo at once what its owner is told is active
      clearTimeout(trial.timer);
      try {
        await this.#putInService(trial);
      } finally {
        this.#limit(trial, milliseconds);
      }
      this.#tell(trial, 'active');
    });
  }

  /** Makes what is in service the state that stays. */
  async commit(owner: string, id: string): Promise<void> {
    await this.#inTurn(owner, id, async (trial) => {
      if (trial.state !== 'active') throw wrongState('it is not active');
      // Until now others were kept from writing on the bus, but not from writing on the disk
      for (const change of trial.changes) await change.confirm().catch(asStorageError);
      await trial.journal.remove().catch(asStorageError);
      this.#forget(trial);
      this.#log.info('change on trial kept', { path: trial.path });
    });
  }

  /** Ends a trial in any state; what was in service before is in service again. */
  async rollback(owner: string, id: string): Promise<void> {
    await this.#inTurn(owner, id, async (trial) => {
      await this.#undo(trial, 'its owner asked for it').catch((error: unknown) => {
        this.#tryAgain(trial, error);
        throw error;
      });
    });
  }

  /** Undoes everything of an owner who is gone. Never rejects. */
  async ownerLeft(owner: string): Promise<void> {
    const left = [...this.#trials.values()].filter((trial) => trial.owner === owner);
    await Promise.all(left.map(({ id }) => this.#undoLater(id, 'its owner left')));
  }

  /** Undoes everything before an orderly end. Never rejects. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#trials.keys()].map((id) => this.#undoLater(id, 'the manager ends')),
    );
  }

  stateOf(endpoint: EndpointDefinition): TrialState {
    const trial = [...this.#trials.values()].find(({ changes }) =>
      changes.some((change) => change.endpoint === endpoint),
    );
    if (!trial) return 'none';
    return trial.state === 'staged' ? 'staged' : 'active';
  }

  subscribe(listener: (event: TrialEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** @throws CertError; then it is staged as before, at an end, or being undone */
  async #putInService(trial: Trial): Promise<void> {
    await trial.journal.write(trial.changes).catch(asStorageError);
    trial.state = 'active';
    try {
      // Whoever is reloaded for the certificate finds the authorities that go with it
      for (const change of [...trial.changes].reverse()) await change.activate();
    } catch (error) {
      const undone = this.#undo(trial, 'it could not be activated');
      await undone.catch((cause: unknown) => this.#tryAgain(trial, cause));
      throw error;
    }
  }

  /** Every part for itself: one that cannot be undone now must not keep another in service. */
  async #undo(trial: Trial, reason: string): Promise<void> {
    const { path } = trial;
    if (trial.state !== 'staged') {
      trial.state = 'undoing';
      const outcomes = await Promise.allSettled(trial.changes.map((change) => change.undo()));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
      this.#log.warn('change on trial undone', { path, reason });
    }
    await trial.journal.remove().catch(asStorageError);
    this.#forget(trial);
  }

  /** A disk that is full now may not be in a moment: a trial is never left in service unattended. */
  async #undoLater(id: string, reason: string): Promise<void> {
    const trial = this.#trials.get(id);
    if (!trial) return;
    try {
      await this.#inTurn(trial.owner, id, () => this.#undo(trial, reason));
    } catch (error) {
      if (this.#trials.has(id)) this.#tryAgain(trial, error);
    }
  }

  #tryAgain(trial: Trial, error: unknown): void {
    const reason = reasonOf(error);
    const { path } = trial;
    this.#log.error('change on trial not undone, trying again', { path, reason });
    clearTimeout(trial.timer);
    trial.timer = this.#deadline(trial.id, retryMilliseconds);
  }

  #forget(trial: Trial): void {
    clearTimeout(trial.timer);
    this.#trials.delete(trial.id);
    for (const change of trial.changes) change.release();
    this.#tell(trial, 'none');
  }

  #inTurn(owner: string, id: string, work: (trial: Trial) => Promise<void>): Promise<void> {
    const trial = this.#trials.get(id);
    if (!trial || trial.owner !== owner) {
      throw new CertError('not-found', 'there is no such trial, or it belongs to another caller');
    }
    const turn = trial.turn.then(() => {
      if (this.#trials.has(id)) return work(trial);
      throw new CertError('not-found', 'the trial has ended');
    });
    trial.turn = turn.catch(() => undefined);
    return turn;
  }

  /** For one that goes on; what could not be undone has a deadline of its own. */
  #limit(trial: Trial, milliseconds: number): void {
    if (!this.#trials.has(trial.id) || trial.state === 'undoing') return;
    trial.timer = this.#deadline(trial.id, milliseconds);
  }

  #deadline(id: string, milliseconds: number): NodeJS.Timeout {
    const timer = setTimeout(() => void this.#undoLater(id, 'its time is up'), milliseconds);
    timer.unref();
    return timer;
  }

  /** @returns false when it is still there, and would undo what is changed from now on */
  async #giveUp(path: string, journal: TrialJournal): Promise<boolean> {
    try {
      await journal.putAside();
      return true;
    } catch (error) {
      this.#log.error('change on trial not put aside', { path, reason: reasonOf(error) });
      return false;
    }
  }

  #milliseconds(seconds: number): number {
    const { defaultSeconds, maxSeconds } = this.#limits;
    if (seconds > maxSeconds) {
      throw new CertError('argument-invalid', `Seconds is more than ${maxSeconds}`);
    }
    return (seconds || defaultSeconds) * 1000;
  }

  #tell(trial: Trial, state: TrialState): void {
    for (const { endpoint } of trial.changes) {
      this.#listeners.tell({ kind: 'trial', endpoint, state });
    }
  }
}

function wrongState(fault: string): CertError {
  return new CertError('on-trial', `the trial cannot do that: ${fault}`);
}
