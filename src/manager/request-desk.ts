import { asStorageError } from './change.ts';
import { type CsrParameters, type CsrPlan, planRequest } from './csr/parameters.ts';
import type { EndpointEvent, RequestState } from './endpoint.ts';
import { CertError } from './errors.ts';
import type { PendingRequests } from './store/pending-requests.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Takes the certification requests of one endpoint. Every request has its own key and directory; the
 * newest one is what upstream's single CSR object shows.
 */
export class RequestDesk {
  readonly #pending: PendingRequests;
  readonly #surroundings: Surroundings;
  readonly #emit: (event: EndpointEvent) => void;
  #waiting = 0;
  #newest: { state: RequestState; serial: number; pem?: string } = { state: 'none', serial: 0 };

  constructor(
    pending: PendingRequests,
    surroundings: Surroundings,
    emit: (event: EndpointEvent) => void,
  ) {
    this.#pending = pending;
    this.#surroundings = surroundings;
    this.#emit = emit;
  }

  /**
   * A request that is refused at once leaves the newest one as it is: it may be another caller's.
   * @returns the PEM of the request once it is made. @throws CertError why it could not be
   */
  async make(parameters: CsrParameters): Promise<string> {
    const plan = planRequest(parameters);
    this.#refuseWhenBusy();
    return this.#show(() => this.#work(plan));
  }

  /** As upstream: whatever the parameters, the outcome shows as the newest request. */
  async begin(parameters: CsrParameters): Promise<void> {
    await this.#show(async () => {
      const plan = planRequest(parameters);
      this.#refuseWhenBusy();
      return this.#work(plan);
    });
  }

  async #show(work: () => Promise<string>): Promise<string> {
    const serial = this.#newest.serial + 1;
    const hadObject = this.#newest.state !== 'none';
    this.#newest = { state: 'none', serial };
    if (hadObject) this.#emit({ kind: 'request', state: 'none' });
    try {
      const pem = await work().catch(asStorageError);
      this.#settle({ state: 'ready', serial, pem });
      return pem;
    } catch (error) {
      this.#settle({ state: 'failed', serial });
      throw error;
    }
  }

  newest(): string {
    const { state, pem } = this.#newest;
    if (state === 'none') throw new CertError('not-found', 'there is no request');
    if (pem === undefined) throw new CertError('request-failed', 'the request could not be made');
    return pem;
  }

  #refuseWhenBusy(): void {
    if (this.#waiting < this.#surroundings.limits.queuedRequests) return;
    throw new CertError('busy', `${this.#waiting} requests are being made already`);
  }

  async #work(plan: CsrPlan): Promise<string> {
    const { csrWorker, now } = this.#surroundings;
    this.#waiting += 1;
    let directory: string | undefined;
    try {
      directory = await this.#pending.prepare();
      const id = await csrWorker({ directory, plan });
      return (await this.#pending.adopt(directory, id, new Date(now()))).pem;
    } finally {
      this.#waiting -= 1;
      if (directory !== undefined) await this.#pending.discard(directory);
    }
  }

  /** A request that a later one has overtaken is kept on disk but no longer shown. */
  #settle(outcome: { state: RequestState; serial: number; pem?: string }): void {
    if (outcome.serial !== this.#newest.serial) return;
    this.#newest = outcome;
    // After the reply of the call that began it, as the forked child of upstream ends later
    setImmediate(() => {
      if (outcome.serial !== this.#newest.serial) return;
      this.#emit({ kind: 'request', state: outcome.state });
    });
  }
}
