import type { CSRParams, LoadCertificateRequest } from '../../../schemas/generated/gnoi/cert_pb.js';
import { Mutex } from '../../core/mutex.ts';
import type { Trial } from '../certificate-store.ts';
import type { CertificateWork, Place } from '../certificates/certificate-work.ts';
import type { Caller } from '../rpc/caller.ts';
import type { MessageStream } from '../rpc/message-stream.ts';
import type { StillMay } from '../rpc/register.ts';
import { StatusError, statusOf } from '../rpc/status.ts';
import type { IdClaims } from './id-claims.ts';
import type { Parking } from './parking.ts';
import {
  adopt,
  decide,
  type Operation,
  type StreamAction,
  type StreamEvent,
  type StreamProfile,
  type StreamState,
} from './stream-states.ts';

/** A message of a client, whichever operation it belongs to. */
export type StepMessage =
  | { readonly kind: 'generate'; readonly id: string; readonly params: CSRParams | undefined }
  | { readonly kind: 'load'; readonly request: LoadCertificateRequest }
  | { readonly kind: 'finalize' | 'empty' };

/** What a step is answered with. */
export type StepReply =
  | { readonly kind: 'request'; readonly pem: string }
  | { readonly kind: 'loaded' };

export interface StepLimits {
  readonly firstMessageMilliseconds: number;
  /** From a CSR to its certificate. */
  readonly signingMilliseconds: number;
}

export interface StreamRules {
  readonly profile: StreamProfile;
  readonly limits: StepLimits;
}

export interface StepOptions {
  /** Asked at the beginning of each stream. */
  readonly rules: () => StreamRules;
  readonly work: CertificateWork;
  readonly claims: IdClaims;
  readonly parking: Parking;
  /** Calls back after so many milliseconds. @returns how to keep it from that */
  readonly after: (milliseconds: number, work: () => void) => () => void;
  /** Does a step, with its line of the audit. */
  readonly audited: <T>(caller: Caller, step: AuditedStep, work: () => Promise<T>) => Promise<T>;
  readonly report: (error: unknown, method: string) => void;
}

export interface AuditedStep {
  readonly call: string;
  readonly step: string;
  readonly id: string;
}

/** A caller whose rights may change between the messages. */
export interface StreamCaller extends Caller {
  readonly stillMay: StillMay;
}

/** Messages of a client that wait for the one before them; no client sends a message before the answer to the last. */
const maxWaiting = 4;

/** One Install or Rotate call. What happens is worked on in its order, each to its end. */
export class StepStream {
  readonly #stream: MessageStream<StepMessage, StepReply>;
  readonly #caller: StreamCaller;
  readonly #operation: Operation;
  readonly #options: StepOptions;
  readonly #rules: StreamRules;
  readonly #turn = new Mutex();
  #waiting = 0;
  #state: StreamState = { at: 'idle' };
  #release: (() => void) | undefined;
  #trial: Trial | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(
    stream: MessageStream<StepMessage, StepReply>,
    caller: StreamCaller,
    operation: Operation,
    options: StepOptions,
  ) {
    this.#stream = stream;
    this.#caller = caller;
    this.#operation = operation;
    this.#options = options;
    this.#rules = options.rules();
  }

  run(): void {
    this.#startTimer();
    this.#stream.onInput((input) => {
      if (input.kind !== 'message') this.#enqueue({ kind: input.kind });
      else if (this.#waiting >= maxWaiting) this.#enqueue({ kind: 'empty' });
      else this.#enqueue(eventOf(input.message), input.message);
    });
  }

  #enqueue(event: StreamEvent, message?: StepMessage): void {
    this.#waiting += 1;
    void this.#turn.run(async () => {
      this.#waiting -= 1;
      await this.#take(event, message);
    });
  }

  /** Never rejects. */
  async #take(event: StreamEvent, message?: StepMessage): Promise<void> {
    if (this.#state.at === 'ended') return;
    this.#cancelTimer();
    const kind = { operation: this.#operation, profile: this.#rules.profile };
    try {
      this.#adopt(adopt(this.#state, event, kind, this.#options.parking.of(this.#caller.userName)));
      const { action, next, end } = decide(this.#state, event, kind);
      const reply = action && (await this.#perform(action, message));
      this.#state = next;
      if (reply) this.#stream.send(reply);
      if (end === 'ok') this.#end();
      else if (end === 'silently') this.#end(new StatusError('ABORTED', 'the stream broke'));
      else if (end) this.#end(new StatusError(end.status, end.details));
      else this.#startTimer();
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    const kind = { operation: this.#operation, profile: this.#rules.profile };
    const { action, next } = decide(this.#state, { kind: 'failed' }, kind);
    // What undoes never rejects
    if (action) await this.#perform(action);
    this.#state = next;
    const status = statusOf(error);
    if (status.status === 'INTERNAL') this.#options.report(error, this.#operation);
    this.#end(status);
  }

  #end(status?: StatusError): void {
    this.#release?.();
    this.#release = undefined;
    this.#stream.end(status);
  }

  /** Takes over what another stream of the same user left. @throws StatusError where another call has the id by now */
  #adopt(state: StreamState): void {
    if (state === this.#state) return;
    const { parking, claims } = this.#options;
    if (state.at === 'requested') {
      this.#release = claims.claim(state.id);
      parking.takeKey(state.id);
    } else if (state.at === 'testing') {
      const held = parking.takeTrial(state.id);
      this.#release = held?.release;
      this.#trial = held?.trial;
    }
    this.#state = state;
  }

  async #perform(action: StreamAction, message?: StepMessage): Promise<StepReply | undefined> {
    const { work, parking } = this.#options;
    const { id } = action;
    switch (action.do) {
      case 'request':
        return this.#permitted('generate_csr', id, async () => {
          await this.#claim(id);
          const params = message?.kind === 'generate' ? message.params : undefined;
          const pem = await work.request(id, params, this.#requestPlace());
          // The new key took the place of all others, so no time limit of another user's may end it
          parking.takeKey(id);
          return { kind: 'request', pem };
        });
      case 'load':
        return this.#load(action.isTrial, message);
      case 'commit':
        return this.#permitted('finalize_rotation', id, async () => {
          await this.#trial?.commit();
          return undefined;
        });
      case 'discard':
        await work.discard(id);
        return undefined;
      case 'roll back':
        return this.#audited('rollback', id, async () => {
          if (this.#trial) await work.rollback(this.#trial);
          return undefined;
        });
      case 'park':
        this.#park(action.what, id, parking);
        return undefined;
    }
  }

  async #load(isTrial: boolean, message?: StepMessage): Promise<StepReply | undefined> {
    if (message?.kind !== 'load') return undefined;
    const { work } = this.#options;
    const { state, id } = { state: this.#state, id: message.request.certificateId };
    const ownId = state.at === 'requested' ? state.id : id;
    return this.#permitted('load_certificate', ownId, async () => {
      const load = { ...work.read(message.request), id: ownId };
      if (state.at !== 'requested') await this.#claim(ownId);
      if (isTrial) {
        this.#trial = await work.tryOut(load);
        this.#trial.onUndone(() => this.#enqueue({ kind: 'undone' }));
      } else {
        await work.load(load, 'new');
      }
      return { kind: 'loaded' };
    });
  }

  /** The next try of a user takes the place of the one that the same user left. */
  async #claim(id: string): Promise<void> {
    const { parking, claims, work } = this.#options;
    const { keys, trials } = parking.of(this.#caller.userName);
    const left = trials.includes(id) ? parking.takeTrial(id) : undefined;
    if (left) {
      await work.rollback(left.trial);
      left.release();
    }
    this.#release = claims.claim(id);
    if (keys.includes(id)) parking.takeKey(id);
  }

  #park(what: 'key' | 'trial', id: string, parking: Parking): void {
    const { userName } = this.#caller;
    if (what === 'key') parking.parkKey(userName, id);
    else if (this.#trial && this.#release) {
      parking.parkTrial(userName, id, { trial: this.#trial, release: this.#release });
      this.#release = undefined;
    }
  }

  /** The profile junos tells of an id that is taken only when the certificate comes, as the vendor's devices do. */
  #requestPlace(): Place {
    if (this.#operation === 'rotate') return 'taken';
    return this.#rules.profile === 'junos' ? 'any' : 'new';
  }

  /** What undoes needs no right. */
  #permitted<T>(step: string, id: string, work: () => Promise<T>): Promise<T> {
    return this.#audited(step, id, async () => {
      await this.#caller.stillMay();
      return work();
    });
  }

  #audited<T>(step: string, id: string, work: () => Promise<T>): Promise<T> {
    const call = this.#operation === 'rotate' ? 'Rotate' : 'Install';
    return this.#options.audited(this.#caller, { call, step, id }, work);
  }

  /** A rotation on trial has the time limit of its store. */
  #startTimer(): void {
    const { firstMessageMilliseconds, signingMilliseconds } = this.#rules.limits;
    if (this.#state.at === 'testing') return;
    const limit = this.#state.at === 'idle' ? firstMessageMilliseconds : signingMilliseconds;
    this.#cancelTimer = this.#options.after(limit, () => this.#enqueue({ kind: 'time-up' }));
  }
}

function eventOf(message: StepMessage): StreamEvent {
  switch (message.kind) {
    case 'generate':
      return { kind: 'generate', id: message.id };
    case 'load': {
      const { certificateId, keyPair } = message.request;
      return { kind: 'load', id: certificateId, hasKey: keyPair !== undefined };
    }
    default:
      return { kind: message.kind };
  }
}
