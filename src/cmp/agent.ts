import { reasonOf } from '../core/cert-error.ts';
import { KeyedMutex } from '../core/keyed-mutex.ts';
import { Mutex } from '../core/mutex.ts';
import { attempt, type Outcome } from './enrolment/attempt.ts';
import { type Order, ownCertificate, withoutTransaction } from './enrolment/begin.ts';
import { type Context, secondsOf } from './enrolment/context.ts';
import { storedOf } from './enrolment/exchange.ts';
import { followPolicy } from './enrolment/follow-policy.ts';
import { EnrolmentFault } from './enrolment-fault.ts';
import { expiryLine, isAdjusted, isWarningDue, renewalTime } from './schedule.ts';

/** How the enrolment of a certificate stands. */
export type EnrolmentState =
  | 'NoCertificate'
  | 'InUse'
  | 'Renewing'
  | 'Waiting'
  | 'Retrying'
  | 'Stuck'
  | 'Expired';

export interface EnrolmentStatus {
  readonly state: EnrolmentState;
  /** Why the last attempt failed; empty when it did not. */
  readonly reason: string;
  /** Of the certificate of this CA in service, in seconds since 1970; absent where there is none. */
  readonly notAfter: number | undefined;
  readonly renewAt: number | undefined;
  /** In milliseconds since 1970; absent when nothing waits. */
  readonly nextAttempt: number | undefined;
}

/** Between two looks at the clock, where nothing is due sooner. */
const lookMilliseconds = 30_000;
const minPause = 100;

/** Keeps certificates enrolled: each look at the clock and the journal says what is due, whatever was before. */
export class EnrolmentAgent {
  #contexts: ReadonlyMap<string, Context> = new Map();
  /** Grows with the contexts: a look of before ends with them. */
  #generation = 0;
  readonly #turns = new Map<string, Mutex>();
  /** A CA may know one open transaction for each reference alone. */
  readonly #atCa = new KeyedMutex();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #told = new Map<string, EnrolmentState>();
  #changed: (name: string, state: EnrolmentState) => void = () => undefined;

  constructor(contexts: readonly Context[]) {
    this.#put(contexts);
  }

  /** @param changed told when a certificate came to another state */
  start(changed: (name: string, state: EnrolmentState) => void): void {
    this.#changed = changed;
    void this.#look();
  }

  /** Has these certificates enrolled from now on, in place of those before. What is under way ends as it began. */
  take(contexts: readonly Context[]): void {
    this.#put(contexts);
    clearTimeout(this.#timer);
    void this.#look();
  }

  get contexts(): ReadonlyMap<string, Context> {
    return this.#contexts;
  }

  #put(contexts: readonly Context[]): void {
    this.#contexts = new Map(contexts.map((context) => [context.policy.name, context]));
    this.#generation += 1;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Does what is due now, and comes back when the next thing is. Never rejects. */
  async #look(): Promise<void> {
    const generation = this.#generation;
    const looks = [...this.contexts.values()].map((context) => this.evaluate(context));
    const due = await Promise.all(looks);
    if (this.#isClosed || generation !== this.#generation) return;
    const pause = Math.min(...due, lookMilliseconds);
    this.#timer = setTimeout(() => void this.#look(), Math.max(pause, minPause));
  }

  /** @returns in how many milliseconds the next thing is due */
  async evaluate(context: Context): Promise<number> {
    const { log, now, policy } = context;
    try {
      await this.#turnOf(policy.name).run(() => followPolicy(context));
      await warn(context);
      const due = await dueTime(context);
      if (due !== undefined && due <= now()) await this.#attempt(context, {});
      const next = await dueTime(context);
      return next === undefined ? lookMilliseconds : next - now();
    } catch (error) {
      // The journal has it, and the log
      if (error instanceof EnrolmentFault) return lookMilliseconds;
      log.error('enrolment cannot go on', { certificate: policy.name, reason: reasonOf(error) });
      return lookMilliseconds;
    }
  }

  /**
   * Enrols now, or goes on with what is under way.
   * @throws EnrolmentFault
   */
  enrol(context: Context, order: Order): Promise<Outcome> {
    return this.#attempt(context, order);
  }

  /** Gives up what is under way. The certificate in service stays. */
  async abort({ journal, device, policy }: Context): Promise<void> {
    await this.#turnOf(policy.name).run(async () => {
      const { requestId } = journal.value;
      await journal.change((before) => {
        const { requestId: _, nextAttempt: __, isStuck: ___, ...rest } = withoutTransaction(before);
        return { ...rest, failures: 0 };
      });
      if (requestId !== undefined)
        await device.discard(policy.endpoint, requestId).catch(() => undefined);
    });
  }

  #attempt(context: Context, order: Order): Promise<Outcome> {
    const { policy } = context;
    const key = JSON.stringify([policy.ca, order.reference ?? policy.reference]);
    return this.#turnOf(policy.name).run(() =>
      this.#atCa.run(key, policy.name, async () => {
        try {
          const current = this.#contexts.get(policy.name);
          if (current !== context) throw new EnrolmentFault('configuration', changedMeanwhile);
          await followPolicy(context);
          await giveWay(context, order);
          const outcome = await attempt(context, order);
          if ('isInstalled' in outcome) await tellInstalled(context);
          return outcome;
        } finally {
          await this.#tellState(context);
        }
      }),
    );
  }

  async #tellState(context: Context): Promise<void> {
    const { name } = context.policy;
    const state = (await statusOf(context).catch(() => undefined))?.state;
    if (state === undefined || this.#told.get(name) === state) return;
    this.#told.set(name, state);
    this.#changed(name, state);
  }

  #turnOf(name: string): Mutex {
    const turn = this.#turns.get(name) ?? new Mutex();
    this.#turns.set(name, turn);
    return turn;
  }
}

const changedMeanwhile = 'the configuration was read again meanwhile';

/** What is under way by another operation than is asked for is given up. */
async function giveWay(context: Context, order: Order): Promise<void> {
  const { operation } = storedOf(context) ?? {};
  if (order.operation === undefined || operation === undefined) return;
  if (operation !== order.operation) await context.journal.change(withoutTransaction);
}

/** When a certificate needs something next, in milliseconds since 1970; `undefined` when nothing is to be done. */
async function dueTime(context: Context): Promise<number | undefined> {
  const { journal, policy } = context;
  const { transaction, outgoing, failures, nextAttempt = 0 } = journal.value;
  if (transaction || failures > 0) return Math.max(nextAttempt, outgoing?.notBefore ?? 0);
  const inService = await ownCertificate(context);
  if (!inService) return policy.isAutomatic ? 0 : undefined;
  return renewalTime(inService.certificate, policy.renewBefore) * 1000;
}

export async function statusOf(context: Context): Promise<EnrolmentStatus> {
  const { journal, policy } = context;
  const { transaction, failures, isStuck, nextAttempt, outgoing, lastRequest } = journal.value;
  const certificate = (await ownCertificate(context))?.certificate;
  const notAfter = certificate?.notAfter;
  const isExpired = notAfter !== undefined && notAfter <= secondsOf(context);
  const state = (): EnrolmentState => {
    if (isStuck) return 'Stuck';
    if (failures > 0) return 'Retrying';
    if (transaction?.phase === 'polling') return 'Waiting';
    if (transaction) return 'Renewing';
    if (isExpired) return 'Expired';
    return certificate ? 'InUse' : 'NoCertificate';
  };
  return {
    state: state(),
    reason: failures > 0 ? (lastRequest?.info ?? '') : '',
    notAfter,
    renewAt: certificate && renewalTime(certificate, policy.renewBefore),
    nextAttempt: nextAttempt ?? outgoing?.notBefore,
  };
}

async function tellInstalled(context: Context): Promise<void> {
  const { log, policy } = context;
  const certificate = (await ownCertificate(context))?.certificate;
  if (!certificate) return;
  const { serialNumber: serial, notAfter } = certificate;
  const until = new Date(notAfter * 1000).toISOString();
  log.info('certificate enrolled', { certificate: policy.name, serial, until });
  if (isAdjusted(certificate, policy.renewBefore))
    log.warn('certificate lives shorter than its renewal needs', { certificate: policy.name });
}

async function warn(context: Context): Promise<void> {
  const { journal, policy, log } = context;
  const certificate = (await ownCertificate(context))?.certificate;
  const now = secondsOf(context);
  const { lastWarning = 0 } = journal.value;
  if (!certificate || !isWarningDue(certificate, policy.warning, lastWarning, now)) return;
  log.warn(expiryLine(policy.name, 'TLS', certificate.notAfter, now));
  await journal.change((before) => ({ ...before, lastWarning: now }));
}
