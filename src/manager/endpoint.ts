import type { Certificate } from '../x509/certificate.ts';
import type { Findings } from './checks/findings.ts';
import type { CsrService } from './csr/csr-service.ts';
import type { ExpiryNews } from './expiry.ts';
import type { UploadSource } from './upload.ts';

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
  /** Absent where there is nothing to say. */
  readonly findings?: Findings;
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
  | { readonly kind: 'request'; readonly state: RequestState }
  | ({ readonly kind: 'expiry' } & ExpiryNews);

/** A change that is found good, and that keeps all others out of its endpoint until it is released. */
export interface StagedChange {
  readonly endpoint: EndpointDefinition;
  /** Writes what is in service into an empty directory, from where `recover` brings it back. */
  save(directory: string): Promise<void>;
  activate(): Promise<void>;
  /** Makes sure that what is in service stands on the disk, whatever others did there meanwhile. */
  confirm(): Promise<void>;
  /** Brings back what was in service before; may be called again when it failed. */
  undo(): Promise<void>;
  release(): void;
}

/**
 * What every endpoint can do. Each call validates all of its
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
  install(source: UploadSource): Promise<InstalledCertificate>;
  installAll(source: UploadSource): Promise<readonly InstalledCertificate[]>;
  replace(id: string, source: UploadSource): Promise<InstalledCertificate>;
  replaceAll(source: UploadSource): Promise<readonly InstalledCertificate[]>;
  delete(id: string): Promise<void>;
  deleteAll(): Promise<void>;
  /** The first half of a change in two phases. @throws CertError what `replace` would */
  stage(text: string): Promise<StagedChange>;
  /** Brings the files back to what `save` wrote; only before `start`. */
  recover(directory: string): Promise<void>;
  readonly requests: CsrService;
  subscribe(listener: (event: EndpointEvent) => void): void;
}
