import type { CsrParameters } from './csr/parameters.ts';
import type { Certificate } from './x509/certificate.ts';

export const endpointTypes = ['server', 'client', 'authority'] as const;
export type EndpointType = (typeof endpointTypes)[number];

/** Whom to tell after a change: a systemd unit, or the process whose id is in a file. */
export type ReloadTarget = { readonly unit: string } | { readonly pidFile: string };

/** A place where certificates live, as the configuration describes it. */
export interface EndpointDefinition {
  readonly type: EndpointType;
  readonly name: string;
  /** A file (server, client) or a directory (authority). */
  readonly path: string;
  readonly reload: readonly ReloadTarget[];
  /** Id of the group that may read what the endpoint writes. */
  readonly group?: number;
}

/** A certificate in service. Ids are decimal numbers; a server or client certificate is always `1`. */
export interface InstalledCertificate {
  readonly id: string;
  readonly certificate: Certificate;
  /** What is served with it: the issuers, in order. */
  readonly chain: readonly Certificate[];
}

export type RequestState = 'none' | 'ready' | 'failed';

/** What happened at an endpoint, in the order in which it became true. */
export type EndpointEvent =
  | { readonly kind: 'added'; readonly installed: InstalledCertificate }
  | {
      readonly kind: 'changed';
      readonly installed: InstalledCertificate;
      readonly previous: InstalledCertificate;
    }
  | { readonly kind: 'removed'; readonly installed: InstalledCertificate }
  | { readonly kind: 'request'; readonly state: RequestState };

/**
 * What every endpoint can do. Texts are the content of uploaded files. Each call validates all of its
 * input first, and a rejection with a CertError means that nothing changed.
 */
export interface Endpoint {
  readonly definition: EndpointDefinition;
  /** Reads what is stored and begins to publish. Never rejects over what it finds on disk. */
  start(): Promise<void>;
  stop(): void;
  /** Looks after what time changes; to be called now and then. Never rejects. */
  maintain(): Promise<void>;
  list(): readonly InstalledCertificate[];
  install(text: string): Promise<InstalledCertificate>;
  installAll(text: string): Promise<readonly InstalledCertificate[]>;
  replace(id: string, text: string): Promise<InstalledCertificate>;
  replaceAll(text: string): Promise<readonly InstalledCertificate[]>;
  delete(id: string): Promise<void>;
  deleteAll(): Promise<void>;
  /** @returns the PEM of a new request once it is made */
  makeRequest(parameters: CsrParameters): Promise<string>;
  /** The same as upstream has it: a refusal, too, shows on the object of the newest request. */
  beginRequest(parameters: CsrParameters): Promise<void>;
  /** PEM of the newest request. @throws CertError `not-found`, `request-failed` */
  newestRequest(): string;
  subscribe(listener: (event: EndpointEvent) => void): void;
}
