import type { Resource } from '../resource.ts';
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

/** A request is compared with the routes in this order, so the resources that clients read most are first. */
const factories = [
  certificateCollections,
  certificateService,
  serviceRoot,
  sessionService,
  accountService,
  accounts,
  accountCertificates,
  eventService,
  eventStream,
  eventDestinations,
  managers,
  taskServiceResources,
  legacyCertificates,
  securityPolicy,
] as const;

/** What the resources are made from: all that any of them uses. */
export type ResourceParts = (typeof factories)[number] extends (parts: infer Parts) => unknown
  ? Parts
  : never;

/** The whole tree. */
export function makeResources(parts: ResourceParts): readonly Resource[] {
  const made = factories.flatMap((make): readonly Resource[] => make(parts));
  return [...made, ...roleResources, ...messageRegistries, ...schemas];
}
