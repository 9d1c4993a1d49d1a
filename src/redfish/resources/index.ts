import type { ResourceFactory } from '../resource.ts';
import { accountService } from './account-service.ts';
import { certificateCollections } from './certificate-collections.ts';
import { certificateService } from './certificate-service.ts';
import { managers } from './managers.ts';
import { securityPolicy } from './security-policy.ts';
import { serviceRoot } from './service-root.ts';
import { sessionService } from './session-service.ts';

/** The whole tree. */
export const resources: readonly ResourceFactory[] = [
  serviceRoot,
  sessionService,
  accountService,
  certificateService,
  certificateCollections,
  managers,
  securityPolicy,
];
