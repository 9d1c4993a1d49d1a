import type { KeyObject } from 'node:crypto';
import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { exportPrivateKey, publicKeyHash, publicKeyInfo } from '../../x509/keys.ts';
import { asStorageError } from '../change.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import type { EndpointType } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { EndpointEvent, RequestState } from '../endpoint-event.ts';
import { tellOwned } from '../owned-files.ts';
import type { CsrParameters, RekeyParameters } from './parameters.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import { type CsrPlan, planRequest, refuseNameless } from './plan.ts';
import { makeRenewal, planRekey } from './renewal.ts';

export interface CsrServiceOptions {
  readonly type: EndpointType;
  readonly pending: PendingRequests;
  readonly dependencies: EndpointDependencies;
  /** The certificate in service with its key; an authority has no key here. */
  readonly inService: () => CredentialCandidate | undefined;
  readonly emit: (event: EndpointEvent) => void;
}

export interface MadeRequest {
  /** Hash of its public key. */
  readonly id: string;
  readonly pem: string;
}

/** How the newest request turned out. */
export interface RequestOutcome {
  readonly state: RequestState;
  /** Hash of its public key, once it is made. */
  readonly id?: string;
  readonly pem?: string;
  readonly failure?: { readonly code: CertErrorCode; readonly reason: string };
}

/**
 * Takes the certification requests of one endpoint. Every request has its own key and directory; the
 * newest one is what upstream's single CSR object shows.
 */
export class CsrService {
  readonly #options: CsrServiceOptions;
  #waiting = 0;
  readonly #making = new Set<Promise<unknown>>();
  #serial = 0;
  #newest: RequestOutcome = { state: 'none' };

  constructor(options: CsrServiceOptions) {
    this.#options = options;
  }

  /** Clears away what was never finished. */
  async start(): Promise<void> {
    const { pending, dependencies } = this.#options;
    await pending.open(tellOwned(dependencies.log));
  }

  /** When the requests that are being made now are made, or have failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#making);
  }

  /** Gives up what is damaged. Never rejects. */
  async maintain(): Promise<void> {
    await this.#options.pending.prune().catch(() => undefined);
  }

  /**
   * A request that is refused at once leaves the newest one as it is: it may be another caller's.
   * @returns the request once it is made. @throws CertError why it could not be
   */
  async generate(parameters: CsrParameters): Promise<MadeRequest> {
    const plan = planRequest(parameters, this.#options.type);
    this.#refuseWhenBusy();
    return this.#show(() => this.#work(plan));
  }

  /** As `generate`. @returns the PEM of the request */
  async make(parameters: CsrParameters): Promise<string> {
    return (await this.generate(parameters)).pem;
  }

  /**
   * As upstream: whatever else the parameters are, the outcome shows as the newest CSR.
   * @throws CertError `busy`, or `argument-invalid` where there is no name, before anything is begun, so the newest CSR
   * stays: it may be another caller's
   */
  begin(parameters: CsrParameters): Promise<string> {
    refuseNameless(parameters);
    this.#refuseWhenBusy();
    const { type } = this.#options;
    const showing = this.#show(async () => this.#work(planRequest(parameters, type)));
    return showing.then(({ pem }) => pem);
  }

  /**
   * A request for a new key with the names and usages of the certificate in service.
   * @returns PEM. @throws CertError `wrong-endpoint-type`, and why it could not be made
   */
  async rekey(parameters: RekeyParameters): Promise<string> {
    const plan = planRekey(this.#mustHavePair().leaf, parameters, this.#options.type);
    this.#refuseWhenBusy();
    return (await this.#show(() => this.#work(plan))).pem;
  }

  /** As `rekey`, for the key in service. It is kept: it may not be in service any more when the answer comes. */
  async renew(challengePassword: string): Promise<string> {
    const pair = this.#mustHavePair();
    const pem = makeRenewal(pair, challengePassword, this.#options.type);
    const id = publicKeyHash(publicKeyInfo(pair.leaf.publicKey));
    const { pending, dependencies } = this.#options;
    const now = new Date(dependencies.now());
    await pending.keep(id, exportPrivateKey(pair.key), pem, now).catch(asStorageError);
    return pem;
  }

  #mustHavePair(): CredentialCandidate {
    const pair = this.#options.inService();
    if (pair) return pair;
    throw new CertError('wrong-endpoint-type', 'the key of this certificate is not on this device');
  }

  get outcome(): RequestOutcome {
    return this.#newest;
  }

  /** PEM of the newest request. @throws CertError `not-found`, or why it could not be made */
  newest(): string {
    const { state, pem, failure } = this.#newest;
    if (pem !== undefined) return pem;
    if (state === 'none') throw new CertError('not-found', 'there is no request');
    throw new CertError('request-failed', failure?.reason ?? 'the request could not be made');
  }

  /** Notes that the certificate for a key came. Never rejects: at worst the request stays in the list. */
  async noteInstalled({ leaf }: CredentialCandidate, leavesRenewals = false): Promise<void> {
    const id = publicKeyHash(publicKeyInfo(leaf.publicKey));
    await this.#options.pending.noteInstalled(id, leavesRenewals).catch(() => undefined);
  }

  /** Requests whose certificate has not come yet, oldest first; a request for the key in service has. */
  async outstanding(): Promise<PendingRequest[]> {
    const pair = this.#options.inService();
    const inService = pair && publicKeyHash(publicKeyInfo(pair.leaf.publicKey));
    const list = await this.#options.pending.list().catch(asStorageError);
    return list.filter(({ id, pem }) => pem !== undefined && id !== inService);
  }

  /**
   * The key of a pending request, or that in service where the id is empty. It must not leave the manager.
   * @throws CertError `not-found`
   */
  async keyOf(id: string): Promise<KeyObject> {
    const inService = this.#options.inService();
    const key =
      id === '' ? inService?.key : await this.#options.pending.find(id).catch(asStorageError);
    if (key) return key;
    const what = id === '' ? 'key in service' : `request ${id}`;
    throw new CertError('not-found', `there is no ${what}`);
  }

  /** Whether there is any key that waits for its certificate, or is being made. @throws when the disk does not tell */
  async isEmpty(): Promise<boolean> {
    return this.#making.size === 0 && (await this.#options.pending.isEmpty());
  }

  /** Gives up a request and its key. @throws CertError `not-found` */
  async discard(id: string): Promise<void> {
    if (await this.#options.pending.remove(id).catch(asStorageError)) return;
    throw new CertError('not-found', `there is no request ${id}`);
  }

  async #show(work: () => Promise<PendingRequest>): Promise<MadeRequest> {
    this.#serial += 1;
    const serial = this.#serial;
    const hadObject = this.#newest.state !== 'none';
    this.#newest = { state: 'none' };
    if (hadObject) this.#options.emit({ kind: 'request', state: 'none' });
    try {
      const making = work();
      this.#making.add(making);
      const { id, pem = '' } = await making
        .finally(() => this.#making.delete(making))
        .catch(asStorageError);
      this.#settle(serial, { state: 'ready', id, pem });
      return { id, pem };
    } catch (error) {
      this.#settle(serial, { state: 'failed', failure: failureOf(error) });
      throw error;
    }
  }

  #refuseWhenBusy(): void {
    if (this.#waiting < this.#options.dependencies.limits.queuedRequests) return;
    throw new CertError('busy', `${this.#waiting} CSRs are being made already`);
  }

  async #work(plan: CsrPlan): Promise<PendingRequest> {
    const { pending, dependencies } = this.#options;
    this.#waiting += 1;
    let directory: string | undefined;
    try {
      directory = await pending.prepare();
      const id = await dependencies.csrWorker({ directory, plan });
      return await pending.adopt(directory, id, new Date(dependencies.now()));
    } finally {
      this.#waiting -= 1;
      // What is left of it goes at the next start
      if (directory !== undefined) await pending.discard(directory).catch(() => undefined);
    }
  }

  /** A request that a later one has overtaken is kept on disk but no longer shown. */
  #settle(serial: number, outcome: RequestOutcome): void {
    if (serial !== this.#serial) return;
    this.#newest = outcome;
    // After the reply of the call that began it, as the forked child of upstream ends later
    setImmediate(() => {
      if (serial !== this.#serial) return;
      this.#options.emit({ kind: 'request', state: outcome.state });
    });
  }
}

function failureOf(error: unknown): NonNullable<RequestOutcome['failure']> {
  if (error instanceof CertError) return { code: error.code, reason: error.message };
  return { code: 'internal', reason: 'a fault of the manager' };
}
