import type { EventLog } from '../core/log.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Curve } from '../x509/keys.ts';
import type { ContentLimits } from '../x509/limits.ts';
import type { ServingProfile } from '../x509/serving-profile.ts';
import type { CheckPolicy } from './checks/checks.ts';
import type { CopyFile } from './credential/copied-file.ts';
import type { CsrWorker } from './csr/forked-worker.ts';
import type { EndpointDefinition } from './endpoint-definition.ts';

export interface ManagerLimits {
  readonly uploadBytes: number;
  /** The most certificates in a file for one server or client: the leaf and its chain. */
  readonly chain: number;
  /** The most pending CSRs of an endpoint. */
  readonly pendingRequests: number;
  /** The most certificates of an authority endpoint; upstream's `authority-limit`. */
  readonly authorities: number;
  /** The most requests that may wait for their turn in the worker. */
  readonly queuedRequests: number;
  readonly content: ContentLimits;
}

/** How patient the manager is with files that others change, in milliseconds without an event. */
export interface WatchTimes {
  /** Until a changed file is looked at. */
  readonly settle: number;
  /** Until a missing or bad file is taken for what it is. */
  readonly grace: number;
}

/** How generated certificates look. */
export interface SelfSignedPolicy {
  readonly validDays: number;
  readonly renewBeforeDays: number;
  readonly curve: Curve;
  readonly organization: string;
}

/** Who the device is, for generated certificates. */
export interface HostIdentity {
  readonly hostName: string;
  readonly addresses: readonly string[];
  /** Names and addresses that clients know the service of the endpoint by, as the configuration says. */
  readonly configured?: readonly string[];
}

/** Everything an endpoint takes from outside, so that tests can give it another world. */
export interface EndpointDependencies {
  readonly log: EventLog;
  readonly limits: ManagerLimits;
  readonly checks: CheckPolicy;
  /** How the service of the endpoint speaks TLS. */
  readonly serving: ServingProfile;
  readonly selfSigned: SelfSignedPolicy;
  /** A server, too, may have no certificate; else it gets a generated one. */
  readonly mayBeEmpty?: true;
  /** Days before its end at which a certificate is announced. */
  readonly expiryThresholds: readonly number[];
  readonly watch: WatchTimes;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  readonly identity: () => HostIdentity;
  readonly csrWorker: CsrWorker;
  /** CAs by which a chain that comes without its intermediates is completed. */
  readonly issuers?: () => readonly Certificate[];
  /** For a server or client whose file services read copies of. */
  readonly copyFile?: CopyFile;
  /** Tells the services that use an endpoint. Settles within a bounded time and never rejects. */
  readonly reload: (endpoint: EndpointDefinition) => Promise<void>;
  /** Notes that they will have to be told, should the manager end before it could. Never throws. */
  readonly oweReload: (endpoint: EndpointDefinition) => void;
}
