import type { Content } from '../x509/containers.ts';
import type { EndpointRef, PublishedCertificate } from './certificate-client.ts';
import type { Expiry } from './expiry.ts';

/** What became of telling a service that its files changed. */
export interface ServiceReload {
  readonly service: string;
  readonly outcome: string;
  /** Why the last attempt failed; empty when it did not. */
  readonly reason: string;
  /** Of the last attempt; absent when there was none. */
  readonly at: Date | undefined;
  readonly attempts: number;
}

/** Where a replacement in two phases stands at an endpoint. */
export interface ReplacementStatus {
  readonly state: 'None' | 'Staged' | 'Active';
  /** Its name; absent where there is none. */
  readonly id?: string;
  /** When it is rolled back unless it is committed. */
  readonly deadline: Date | undefined;
}

/** What the manager tells of an endpoint beside its certificates. */
export interface EndpointStatus {
  readonly services: readonly ServiceReload[];
  readonly replacement: ReplacementStatus;
}

export interface StagedContent {
  readonly content: Content;
  /** Goes into service together with it. */
  readonly truststore?: { readonly endpoint: EndpointRef; readonly bundle: Content };
  /** Until it is rolled back; 0 for what the manager is configured for. */
  readonly seconds: number;
}

/**
 * What the administrator of a device asks of the manager, beside what every edge may (`CertificateClient`).
 * Rejections are CertErrors, as there.
 */
export interface Administration {
  /** Where the certificates of an endpoint stand in their lives, by id, as the manager judges; none of upstream's. */
  expiry(endpoint: EndpointRef): Promise<ReadonlyMap<string, Expiry>>;
  /** Puts a bundle in the place of all certificates, or changes nothing. */
  replaceAll(endpoint: EndpointRef, content: Content): Promise<readonly PublishedCertificate[]>;
  /** Gives up a pending CSR together with its key. */
  discard(endpoint: EndpointRef, id: string): Promise<void>;
  services(endpoint: EndpointRef): Promise<readonly ServiceReload[]>;
  /** Tells the services of an endpoint once more. Resolves after the first attempt at each. */
  reload(endpoint: EndpointRef): Promise<void>;
  /** Stages a replacement that belongs to the user and outlives the connection. @returns its name */
  stage(endpoint: EndpointRef, staged: StagedContent): Promise<string>;
  /** These three are about the replacement of this name, or else the one that the user staged at this endpoint. */
  activate(endpoint: EndpointRef, seconds: number, id?: string): Promise<void>;
  commit(endpoint: EndpointRef, id?: string): Promise<void>;
  rollback(endpoint: EndpointRef, id?: string): Promise<void>;
  replacement(endpoint: EndpointRef): Promise<ReplacementStatus>;
}

/** Administration for an edge that serves many readers, where the manager may be one that does not offer it. */
export interface WatchedAdministration extends Administration {
  /**
   * From a live copy, as certificates are.
   * @returns `undefined` where the manager does not offer administration, as upstream's. @throws CertError `unavailable`
   */
  status(endpoint: EndpointRef): EndpointStatus | undefined;
  /** Puts all authorities of a bundle beside those that are there, or none. @returns the new ones, in their order */
  add(endpoint: EndpointRef, content: Content): Promise<readonly PublishedCertificate[]>;
}
