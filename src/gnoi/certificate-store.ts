import type { CsrParameters } from '../manager/csr/parameters.ts';
import type { Certificate } from '../x509/certificate.ts';

/** The one bundle of CAs, by the name that the contract reserves for it. */
export const bundleName = 'gnoi-ca-bundle';

/** A certificate that the manager has under an id. */
export interface HeldCertificate {
  readonly id: string;
  readonly certificate: Certificate;
  /** The issuers that are served with it, in order. */
  readonly chain: readonly Certificate[];
  /** When it came, in nanoseconds since 1970. */
  readonly modified: bigint;
  /** The services that show it. */
  readonly services: readonly string[];
}

/** What goes into service together. */
export interface StoreChange {
  readonly certificate?: {
    readonly id: string;
    /** Whether the id must be one without a certificate, or one with a certificate. */
    readonly place: 'new' | 'taken' | 'any';
    /** The certificate and its chain, and the key unless one waits for it. */
    readonly pem: string;
  };
  /** In place of the whole bundle. */
  readonly authorities?: readonly Certificate[];
}

/** A change that is in service and on trial: it is undone unless it is committed. */
export interface Trial {
  /** Keeps the change; synced when this resolves. */
  commit(): Promise<void>;
  /** What was before is in service again. Does nothing where the change is undone already. */
  rollback(): Promise<void>;
  /** When it is undone unless it is committed; `undefined` once it has ended. */
  readonly deadline: Date | undefined;
  /** Has the deadline be so many seconds from now. */
  extend(seconds: number): Promise<void>;
  /** Calls back when the store undid the change by itself: in time, for an operator, or because it left. */
  onUndone(listener: () => void): void;
}

/**
 * What the service asks of the manager. Reading is from a live copy. Rejections are CertErrors: `unavailable` while the manager
 * is away, `already-installed` and `not-found` for an id that is not in the place that the change names.
 */
export interface CertificateStore {
  /** Those that are in service, by id; pending CSRs are none. @throws CertError `unavailable` */
  certificates(): readonly HeldCertificate[];
  /** The bundle; empty where there is none. @throws CertError `unavailable` */
  authorities(): readonly Certificate[];
  /** CAs that the device trusts beside the bundle. */
  anchors(): readonly Certificate[];
  /** Makes a key, which waits for its certificate, in place of those that wait for the same id. @returns PEM of the CSR */
  makeRequest(id: string, parameters: CsrParameters): Promise<string>;
  /** Gives up the keys that wait for certificates of the id. */
  discardRequests(id: string): Promise<void>;
  /** Gives up all keys that wait, as those that an earlier run of the service left. */
  discardAllRequests(): Promise<void>;
  /** Puts a change into service that is found good, for so many seconds at most. */
  tryOut(change: StoreChange, seconds: number): Promise<Trial>;
  /** @throws CertError `not-found` */
  remove(id: string): Promise<void>;
  /** Calls back after any change, by whomever. @returns how to end that */
  onChange(listener: () => void): () => void;
}
