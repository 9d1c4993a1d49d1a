import type { Audit } from '../../core/audit.ts';
import type { CertErrorCode } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import type { EndpointDefinition } from '../../manager/endpoint-definition.ts';
import type { StagedReplacements } from '../../manager/replacement/staged-replacements.ts';
import type { Reloader } from '../../platform/reload.ts';
import type { CallerPolicy } from '../server/caller-policy.ts';
import type { Callers } from '../transport/bus-driver.ts';
import type { UploadParts } from './content.ts';

/** An endpoint, and who may change it. */
export interface GuardedEndpoint {
  readonly endpoint: Endpoint;
  readonly access: CallerPolicy;
}

/** Counts what callers ask of endpoints. */
export interface OperationCounter {
  /** @param reason why it was refused; absent for a success */
  operationEnded(endpoint: EndpointDefinition, operation: string, reason?: CertErrorCode): void;
  /** Something failed after the call for it was answered. */
  failed(endpoint: EndpointDefinition, reason: CertErrorCode): void;
}

/** An endpoint at one of its places on the bus, with what its objects are made from. */
export interface PublishedEndpoint extends GuardedEndpoint, UploadParts {
  /** Path of its manager object. */
  readonly root: string;
  /** What the log calls it. */
  readonly label: string;
  readonly callers: Callers;
  readonly expiryThresholds: readonly number[];
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  readonly reloader: Reloader;
  readonly replacements: StagedReplacements;
  /** The endpoint of a root object path. */
  readonly findEndpoint: (root: string) => GuardedEndpoint | undefined;
  readonly log: Log;
  readonly audit: Audit;
  readonly counter: OperationCounter;
}
