import type { KeyObject } from 'node:crypto';
import type { EndpointRef } from '../manager/certificate-client.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { KeyAlgorithm } from '../x509/keys.ts';
import type { SignatureAlgorithm } from './protection/signature.ts';

/** Where a certificate, or the CAs of a profile, are: an endpoint of the configuration, or one that comes at run time. */
export interface Target extends EndpointRef {
  readonly origin: 'configuration' | 'run-time';
}

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
  inService(endpoint: Target): InService | undefined;
  authorities(endpoint: Target): readonly Certificate[];
  generate(endpoint: Target, key: KeyAlgorithm): Promise<PendingKey>;
  pending(endpoint: Target, id: string): Promise<PendingKey | undefined>;
  discard(endpoint: Target, id: string): Promise<void>;
  /** @param request the id of a pending key; without it the key in service signs */
  sign(
    endpoint: Target,
    request: string | undefined,
    algorithm: SignatureAlgorithm,
    data: Buffer,
  ): Promise<Buffer>;
  /**
   * An endpoint of run time that is not there comes with the certificate, and goes with it when that is rolled back.
   * @param pem the certificate with its chain
   */
  stage(endpoint: Target, request: string, pem: string): Promise<StagedCertificate>;
}
