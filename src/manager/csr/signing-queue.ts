import { CertError } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { EventLog } from '../../core/log.ts';

export const signingStates = ['Pending', 'BadCSR', 'Complete'] as const;
export type SigningState = (typeof signingStates)[number];

/** A CSR that another program of the device signs: the host's hypervisor, through PLDM. */
export interface SigningEntry {
  readonly id: number;
  readonly request: string;
  /** PEM; empty until it is signed. */
  readonly certificate: string;
  readonly state: SigningState;
}

export type SigningEvent =
  | { readonly kind: 'added' | 'removed'; readonly entry: SigningEntry }
  | {
      readonly kind: 'changed';
      readonly entry: SigningEntry;
      readonly what: 'certificate' | 'state';
    };

export interface SigningLimits {
  /** Bytes of a request, as upstream. */
  readonly requestBytes: number;
  readonly entries: number;
}

/**
 * Requests on their way to a signer and back, as IBM's bmc-vmi-ca has them: one puts a request in, the
 * signer writes the certificate and the state, and who asked takes it and deletes the entry. Nothing of
 * it outlives the manager, and no id is given twice.
 */
export class SigningQueue {
  readonly #limits: SigningLimits;
  readonly #entries = new Map<number, SigningEntry>();
  readonly #listeners: Listeners<SigningEvent>;
  #nextId = 1;

  constructor(limits: SigningLimits, log: EventLog) {
    this.#limits = limits;
    this.#listeners = new Listeners(log);
  }

  /** @throws CertError `argument-invalid` for an empty or too long one, `limit-reached` */
  submit(request: string): SigningEntry {
    const { requestBytes, entries } = this.#limits;
    const bytes = Buffer.byteLength(request);
    if (bytes === 0 || bytes > requestBytes) {
      throw new CertError('argument-invalid', `CSR is empty or longer than ${requestBytes} bytes`);
    }
    if (this.#entries.size >= entries) {
      throw new CertError('limit-reached', `${entries} requests wait to be signed already`);
    }
    const entry: SigningEntry = { id: this.#nextId, request, certificate: '', state: 'Pending' };
    this.#nextId += 1;
    this.#entries.set(entry.id, entry);
    this.#listeners.tell({ kind: 'added', entry });
    return entry;
  }

  /** @throws CertError `not-found` */
  get(id: number): SigningEntry {
    const entry = this.#entries.get(id);
    if (!entry) throw new CertError('not-found', `there is no request ${id}`);
    return entry;
  }

  setCertificate(id: number, certificate: string): void {
    this.#change({ ...this.get(id), certificate }, 'certificate');
  }

  setState(id: number, state: SigningState): void {
    this.#change({ ...this.get(id), state }, 'state');
  }

  delete(id: number): void {
    const entry = this.get(id);
    this.#entries.delete(id);
    this.#listeners.tell({ kind: 'removed', entry });
  }

  deleteAll(): void {
    for (const id of [...this.#entries.keys()]) this.delete(id);
  }

  subscribe(listener: (event: SigningEvent) => void): void {
    this.#listeners.add(listener);
  }

  #change(entry: SigningEntry, what: 'certificate' | 'state'): void {
    const before = this.get(entry.id);
    this.#entries.set(entry.id, entry);
    if (before[what] !== entry[what]) this.#listeners.tell({ kind: 'changed', entry, what });
  }
}
