import type { ResourceFactory } from '../resource.ts';
import { accountService } from './account-service.ts';
import { accounts } from './accounts.ts';
import { certificateCollections } from './certificate-collections.ts';
import { certificateService } from './certificate-service.ts';
import { managers } from './managers.ts';
import { roleResources } from './roles.ts';
import { serviceRoot } from './service-root.ts';
import { sessionService } from './session-service.ts';

/** The whole tree. */
export const resources: readonly ResourceFactory[] = [
  serviceRoot,
  sessionService,
  accountService,
  accounts,
  roleResources,
  certificateService,
  certificateCollections,
  managers,
];
