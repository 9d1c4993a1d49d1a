import type { KeyObject } from 'node:crypto';
import type { EndpointRef } from '../manager/certificate-client.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { KeyAlgorithm } from '../x509/keys.ts';
import type { SignatureAlgorithm } from './protection/signature.ts';

export interface InService {
  readonly certificate: Certificate;
  readonly chain: readonly Certificate[];
}

/** A key that the manager made and that waits for its certificate. */
export interface PendingKey {
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** A change of the certificate in service that is undone unless it is committed. */
export interface StagedCertificate {
  activate(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * What enrolment asks of the device. The keys stay with the manager, which signs for it. Rejections are CertErrors, and
 * `unavailable` while the manager is away.
 */
export interface Device {
  inService(endpoint: EndpointRef): InService | undefined;
  authorities(endpoint: EndpointRef): readonly Certificate[];
  generate(endpoint: EndpointRef, key: KeyAlgorithm): Promise<PendingKey>;
  pending(endpoint: EndpointRef, id: string): Promise<PendingKey | undefined>;
  discard(endpoint: EndpointRef, id: string): Promise<void>;
  /** @param request the id of a pending key; without it the key in service signs */
  sign(
    endpoint: EndpointRef,
    request: string | undefined,
    algorithm: SignatureAlgorithm,
    data: Buffer,
  ): Promise<Buffer>;
  /** @param pem the certificate with its chain */
  stage(endpoint: EndpointRef, request: string, pem: string): Promise<StagedCertificate>;
}
