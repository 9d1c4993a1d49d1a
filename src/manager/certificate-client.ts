import type { Certificate } from '../x509/certificate.ts';
import type { Content } from '../x509/containers.ts';
import type { LeftOut } from './checks/findings.ts';
import type { CsrParameters, RekeyParameters } from './csr/parameters.ts';
import type { EndpointType } from './endpoint-definition.ts';

/** An endpoint as an edge knows it. */
export interface EndpointRef {
  readonly type: EndpointType;
  readonly name: string;
}

/** What the manager says of a certificate that is in service: `Findings`, whose codes may be of a newer manager. */
export interface PublishedFindings {
  readonly warnings: readonly { readonly code: string; readonly text: string }[];
  /** Certificates of the file that it came in which are not served. */
  readonly leftOut: readonly LeftOut[];
  /** When it was judged, in seconds since 1970. */
  readonly since: number;
}

/** A certificate as an edge sees it. */
export interface PublishedCertificate {
  readonly id: string;
  readonly certificate: Certificate;
  /** The issuers that are served with it, in order. */
  readonly chain: readonly Certificate[];
  /** Absent for an authority, and with upstream's manager. */
  readonly findings?: PublishedFindings;
}

/** A request whose certificate has not come yet. */
export interface OutstandingRequest {
  /** Hexadecimal SHA-256 of its public key. */
  readonly id: string;
  readonly pem: string;
  readonly created: Date;
}

/** Something that happened to a certificate, by any program. */
export type CertificateEvent = { readonly endpoint: EndpointRef } & (
  | ({ readonly kind: 'created' | 'changed' } & PublishedCertificate)
  | { readonly kind: 'removed'; readonly id: string }
  /** It ends within so many days, one of the configured thresholds; 0 when it has ended. */
  | ({ readonly kind: 'expiring'; readonly days: number } & PublishedCertificate)
);

/**
 * What an edge may ask of the manager. Reading is from a live copy and costs nothing; every change is
 * complete, and visible in the copy, when its promise resolves. Rejections are CertErrors:
 * `unavailable` and `no-answer` when the manager is away, else the code of the failing check.
 */
export interface CertificateClient {
  /** Another number after each change of what the other members answer without a promise. */
  readonly version: number;
  /** True while the manager of this endpoint can be reached and its copy is complete. */
  isAvailable(endpoint: EndpointRef): boolean;
  /** All endpoints that are there now, ordered by type and name. */
  endpoints(): readonly EndpointRef[];
  /**
   * Those that came at run time; while the manager is away, those that it had. The name of one is its id, behind
   * `run-time:` where the configuration has an endpoint of the same type and name.
   */
  runTimeEndpoints(): readonly EndpointRef[];
  /** Ordered by id. @throws CertError `unavailable` */
  list(endpoint: EndpointRef): readonly PublishedCertificate[];
  /** @throws CertError `not-found`, `unavailable` */
  get(endpoint: EndpointRef, id: string): PublishedCertificate;
  install(endpoint: EndpointRef, content: Content): Promise<PublishedCertificate>;
  replace(endpoint: EndpointRef, id: string, content: Content): Promise<PublishedCertificate>;
  delete(endpoint: EndpointRef, id: string): Promise<void>;
  /** @returns the PEM of the request */
  makeRequest(endpoint: EndpointRef, parameters: CsrParameters): Promise<string>;
  /** A request for a new key with the names and usages of a certificate. @returns PEM */
  rekey(endpoint: EndpointRef, id: string, parameters: RekeyParameters): Promise<string>;
  /** The same for the key that it has. @returns PEM */
  renew(endpoint: EndpointRef, id: string, challengePassword: string): Promise<string>;
  /**
   * Requests whose certificate has not come yet, oldest first.
   * @param milliseconds after which it rejects with `no-answer`, where that is to be soon
   */
  outstanding(endpoint: EndpointRef, milliseconds?: number): Promise<readonly OutstandingRequest[]>;
  /** @returns how to unsubscribe */
  subscribe(listener: (event: CertificateEvent) => void): () => void;
}
