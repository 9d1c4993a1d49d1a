import type { ResourceFactory } from '../service-parts.ts';
import { accountCertificates } from './account-certificates.ts';
import { accountService } from './account-service.ts';
import { accounts } from './accounts.ts';
import { certificateCollections } from './certificate-collections.ts';
import { certificateService } from './certificate-service.ts';
import { eventDestinations } from './event-destinations.ts';
import { eventService } from './event-service.ts';
import { eventStream } from './event-stream.ts';
import { legacyCertificates } from './legacy-certificates.ts';
import { managers } from './managers.ts';
import { messageRegistries } from './registries.ts';
import { roleResources } from './roles.ts';
import { schemas } from './schemas.ts';
import { securityPolicy } from './security-policy.ts';
import { serviceRoot } from './service-root.ts';
import { sessionService } from './session-service.ts';
import { taskServiceResources } from './task-service.ts';

/** The whole tree. */
export const resources: readonly ResourceFactory[] = [
  serviceRoot,
  sessionService,
  accountService,
  accounts,
  accountCertificates,
  roleResources,
  certificateService,
  certificateCollections,
  eventService,
  eventStream,
  eventDestinations,
  managers,
  taskServiceResources,
  messageRegistries,
  schemas,
  legacyCertificates,
  securityPolicy,
];
