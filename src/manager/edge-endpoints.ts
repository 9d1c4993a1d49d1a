import type { Content } from '../x509/containers.ts';
import type {
  CertificateEvent,
  EndpointRef,
  OutstandingRequest,
  PublishedCertificate,
} from './certificate-client.ts';
import type { CsrParameters } from './csr/parameters.ts';
import type { SignatureAlgorithm } from './signing/signature-algorithms.ts';

/** An endpoint that came at run time. Its name is the id that its edge knows it by. */
export interface EdgeEndpoint extends EndpointRef {
  /** The services that read what it has from files of their own. */
  readonly services: readonly string[];
  /** When what it has was put there, in nanoseconds since 1970; 0 where it has nothing. */
  readonly modified: bigint;
  /** Ordered by id: one at most of a server or client, the members of an authority. */
  readonly certificates: readonly PublishedCertificate[];
}

/** A key that waits for its certificate, and the CSR for it. */
export interface PendingKey {
  /** Hexadecimal SHA-256 of its public key. */
  readonly id: string;
  readonly pem: string;
}

/** What is to be signed with the key of an endpoint. */
export interface SigningInput {
  /** The id of a pending key; absent for the key in force. */
  readonly request?: string;
  readonly algorithm: SignatureAlgorithm;
  /** Not hashed. One DER SEQUENCE: the manager signs nothing else, see docs/security.md. */
  readonly data: Buffer;
}

/** What a replacement does to one endpoint. */
export interface ReplacementInput {
  readonly endpoint: EndpointRef;
  /** Whether the endpoint comes with this replacement; it must not be there yet then, and must be otherwise. */
  readonly create: boolean;
  /**
   * The certificate of a server or client with its chain; the whole bundle of an authority. `nothing` takes all certificates
   * away, and `removal` the endpoint with its pending keys, too.
   */
  readonly content: Content | 'nothing' | 'removal';
  /** The id of the pending key that the certificate must be for; without it, it may be for any that is known. */
  readonly request?: string;
}

export interface ReplacementProgress {
  readonly state: 'Staged' | 'Active';
  /** When it is rolled back unless it is committed. */
  readonly deadline: Date;
}

/** Which endpoint a service reads its certificate from. */
export interface ServiceBinding {
  readonly service: string;
  /** It need not be there. */
  readonly endpoint: EndpointRef;
  readonly origin: 'configuration' | 'run time';
}

export type EdgeEndpointEvent =
  | CertificateEvent
  | { readonly kind: 'endpoint added' | 'endpoint removed'; readonly endpoint: EndpointRef }
  /** Which service reads from which endpoint. */
  | { readonly kind: 'bindings' }
  /** The manager came or went. What changed while it was away is told before it is available. */
  | { readonly kind: 'available' | 'unavailable' };

/**
 * What an edge may ask of the endpoints that come and go at run time. Reading is from a live copy and costs nothing;
 * every change is complete, and visible in the copy, when its promise resolves. Rejections are CertErrors, as of
 * `CertificateClient`; `access-denied` where the manager's configuration does not let the user of the edge do it.
 *
 * A change of several endpoints is a replacement: `stage` finds all of it good, `activate` puts it into service,
 * `commit` keeps it, and everything else ends with all as it was before: `rollback`, the deadline, the end of the
 * connection that staged it unless it is detached, the end of the manager. So what the edge itself owns and changes
 * with it, such as the users of its clients, is written between `activate` and `commit`, and if that fails, rolled back.
 */
export interface EdgeEndpoints {
  /** True while the manager can be reached and the copy is complete. */
  readonly isAvailable: boolean;
  /** Ordered by type and name. @throws CertError `unavailable` */
  list(): readonly EdgeEndpoint[];
  /** @throws CertError `unavailable` */
  find(endpoint: EndpointRef): EdgeEndpoint | undefined;
  /** @throws CertError `unavailable` */
  bindings(): readonly ServiceBinding[];
  /** Names of the services that can be bound. @throws CertError `unavailable` */
  services(): readonly string[];
  /** An endpoint without certificates. @throws CertError `already-installed`, `limit-reached`, `argument-invalid` */
  add(endpoint: EndpointRef): Promise<void>;
  /** Takes it away with its files and its pending keys. What is bound to it has no certificate then. */
  remove(endpoint: EndpointRef): Promise<void>;
  /** Takes all certificates of an endpoint away, and leaves the endpoint. */
  clear(endpoint: EndpointRef): Promise<void>;
  /** A new key with its CSR; the endpoint need not be there yet. */
  generate(endpoint: EndpointRef, parameters: CsrParameters): Promise<PendingKey>;
  /** Keys whose certificate has not come yet, oldest first. */
  outstanding(endpoint: EndpointRef): Promise<readonly OutstandingRequest[]>;
  /** @throws CertError `not-found` */
  discard(endpoint: EndpointRef, request: string): Promise<void>;
  sign(endpoint: EndpointRef, input: SigningInput): Promise<Buffer>;
  /**
   * @param seconds until it is rolled back; the configured time where it is not given
   * @returns the name of the replacement
   */
  stage(parts: readonly ReplacementInput[], seconds?: number): Promise<string>;
  /** Gives it to the user of the caller, so that it outlives this connection. */
  detach(replacement: string): Promise<void>;
  activate(replacement: string, seconds?: number): Promise<void>;
  commit(replacement: string): Promise<void>;
  rollback(replacement: string): Promise<void>;
  /** Has the deadline begin anew. */
  extend(replacement: string, seconds: number): Promise<void>;
  /** @throws CertError `not-found` when it has ended */
  progress(replacement: string): Promise<ReplacementProgress>;
  /** Has a service that the configuration declares read from this endpoint from now on. */
  bind(service: string, endpoint: EndpointRef): Promise<void>;
  /** Has the service read from what the configuration says, or from nothing. */
  unbind(service: string): Promise<void>;
  /** @returns how to unsubscribe */
  subscribe(listener: (event: EdgeEndpointEvent) => void): () => void;
}
