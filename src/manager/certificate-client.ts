import type { CsrParameters } from './csr/parameters.ts';
import type { EndpointType } from './endpoint.ts';
import type { Certificate } from './x509/certificate.ts';

/** An endpoint as an edge knows it. */
export interface EndpointRef {
  readonly type: EndpointType;
  readonly name: string;
}

/** A certificate as an edge sees it. */
export interface PublishedCertificate {
  readonly id: string;
  readonly certificate: Certificate;
}

/** Something that happened to a certificate, whoever did it. */
export type CertificateEvent = {
  readonly endpoint: EndpointRef;
  readonly id: string;
} & (
  | { readonly kind: 'created' | 'changed'; readonly certificate: Certificate }
  | { readonly kind: 'removed' }
  /** It ends within so many days, one of the configured thresholds; 0 when it has ended. */
  | { readonly kind: 'expiring'; readonly certificate: Certificate; readonly days: number }
);

/**
 * What an edge may ask of the manager. Reading is from a live copy and costs nothing; every change is
 * complete, and visible in the copy, when its promise resolves. Rejections are CertErrors:
 * `unavailable` and `no-answer` when the manager is away, else the code of the failing check.
 */
export interface CertificateClient {
  /** True while the manager of this endpoint can be reached and its copy is complete. */
  isAvailable(endpoint: EndpointRef): boolean;
  /** All endpoints that are there now, ordered by type and name. */
  endpoints(): readonly EndpointRef[];
  /** Ordered by id. @throws CertError `unavailable` */
  list(endpoint: EndpointRef): readonly PublishedCertificate[];
  /** @throws CertError `not-found`, `unavailable` */
  get(endpoint: EndpointRef, id: string): PublishedCertificate;
  install(endpoint: EndpointRef, pem: string): Promise<PublishedCertificate>;
  replace(endpoint: EndpointRef, id: string, pem: string): Promise<PublishedCertificate>;
  delete(endpoint: EndpointRef, id: string): Promise<void>;
  /** @returns the PEM of the request */
  makeRequest(endpoint: EndpointRef, parameters: CsrParameters): Promise<string>;
  /** @returns how to unsubscribe */
  subscribe(listener: (event: CertificateEvent) => void): () => void;
}
