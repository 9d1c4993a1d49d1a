import type { Certificate } from '../x509/certificate.ts';
import type { StagedChange } from './change.ts';
import type { CsrService } from './csr/csr-service.ts';
import type { EndpointDefinition } from './endpoint-definition.ts';
import type { EndpointEvent } from './endpoint-event.ts';
import type { InstalledCertificate } from './installed-certificate.ts';
import type { UploadSource } from './upload.ts';

/**
 * What every endpoint can do. Each call validates all of its
 * input first, and a rejection with a CertError means that nothing changed.
 */
export interface Endpoint {
  readonly definition: EndpointDefinition;
  /** Reads what is stored and begins to publish. Never rejects over what it finds on disk. */
  start(): Promise<void>;
  /** Follows its files no more. @returns when no change and no CSR is under way any more */
  drain(): Promise<void>;
  stop(): void;
  /** Looks after what time changes; to be called now and then. Never rejects. */
  maintain(): Promise<void>;
  list(): readonly InstalledCertificate[];
  install(source: UploadSource): Promise<InstalledCertificate>;
  installAll(source: UploadSource): Promise<readonly InstalledCertificate[]>;
  /** All certificates of a bundle beside those that are there, or none. @returns those that are new */
  add(source: UploadSource): Promise<readonly InstalledCertificate[]>;
  replace(id: string, source: UploadSource): Promise<InstalledCertificate>;
  replaceAll(source: UploadSource): Promise<readonly InstalledCertificate[]>;
  delete(id: string): Promise<void>;
  deleteAll(): Promise<void>;
  /**
   * The first half of a change in two phases.
   * @param source absent to take all certificates away
   * @param issuers CAs that come with it, for a chain that comes without its intermediates
   * @throws CertError what `replace` would
   */
  stage(source: UploadSource | undefined, issuers?: readonly Certificate[]): Promise<StagedChange>;
  /** Brings the files back to what `save` wrote; only before `start`. */
  recover(directory: string): Promise<void>;
  readonly requests: CsrService;
  /** @returns how to unsubscribe */
  subscribe(listener: (event: EndpointEvent) => void): () => void;
}
