import type { CertificateClient, PublishedCertificate } from '../manager/certificate-client.ts';
import type { TlsProfileName } from '../tls/profile.ts';
import type { Access } from './access.ts';
import type { CertificateLinks } from './certificates/certificate-links.ts';
import type { CertificateCollection } from './certificates/collections.ts';
import type { ServedCertificate } from './certificates/served.ts';
import type { Compatibility } from './compatibility.ts';
import type { Events } from './events/events.ts';
import type { QueryLimits } from './query/limits.ts';
import type { Resource } from './resource.ts';
import type { ManagerDetails } from './set-up/manager-details.ts';
import type { Tasks } from './tasks/tasks.ts';

/** What the resources are made from. */
export interface ServiceParts {
  readonly client: CertificateClient;
  readonly access: Access;
  readonly places: readonly CertificateCollection[];
  readonly kinship: (published: PublishedCertificate) => CertificateLinks;
  readonly tasks: Tasks;
  readonly compatibility: Compatibility;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  /** Days before its end at which a certificate needs attention. */
  readonly expiryThresholds: readonly number[];
  readonly managerId: string;
  readonly managerDetails: ManagerDetails;
  readonly hostName: () => string;
  readonly port: () => number;
  readonly query: QueryLimits;
  readonly serviceId: string;
  readonly tlsProfile: TlsProfileName;
  /** Name of the server endpoint whose certificate this service serves with. */
  readonly servedEndpoint: string;
  readonly served: ServedCertificate;
  readonly events: Events;
}

/** Makes the resources of one file. */
export type ResourceFactory = (parts: ServiceParts) => readonly Resource[];
