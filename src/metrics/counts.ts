import type { CertErrorCode } from '../core/cert-error.ts';
import type { ReloadOutcome } from '../platform/reload.ts';
import { type EndpointName, endpointLabel } from './endpoint-label.ts';

/** How a call that changes something ended. */
export type OperationOutcome = 'ok' | 'refused';

/** What the counters have counted since the start of the manager. */
export class Counts {
  readonly #values = new Map<string, number>();

  /** @param reason why it was refused; absent for a success */
  operationEnded(endpoint: EndpointName, operation: string, reason?: CertErrorCode): void {
    this.#count(operationKey(endpoint, operation, reason === undefined ? 'ok' : 'refused'));
    if (reason !== undefined) this.failed(endpoint, reason);
  }

  /** Something failed after the call for it was answered. */
  failed(endpoint: EndpointName, reason: CertErrorCode): void {
    this.#count(failureKey(endpoint, reason));
  }

  reloadEnded(service: string, outcome: ReloadOutcome): void {
    this.#count(reloadKey(service, outcome));
  }

  operations(endpoint: EndpointName, operation: string, outcome: OperationOutcome): number {
    return this.#valueOf(operationKey(endpoint, operation, outcome));
  }

  failures(endpoint: EndpointName, reason: CertErrorCode): number {
    return this.#valueOf(failureKey(endpoint, reason));
  }

  reloads(service: string, outcome: ReloadOutcome): number {
    return this.#valueOf(reloadKey(service, outcome));
  }

  #count(key: string): void {
    this.#values.set(key, this.#valueOf(key) + 1);
  }

  #valueOf(key: string): number {
    return this.#values.get(key) ?? 0;
  }
}

function operationKey(endpoint: EndpointName, operation: string, outcome: string): string {
  return ['operation', endpointLabel(endpoint), operation, outcome].join(' ');
}

function failureKey(endpoint: EndpointName, reason: CertErrorCode): string {
  return ['failure', endpointLabel(endpoint), reason].join(' ');
}

function reloadKey(service: string, outcome: ReloadOutcome): string {
  return ['reload', outcome, service].join(' ');
}
