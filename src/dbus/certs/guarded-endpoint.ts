import type { Endpoint } from '../../manager/endpoint.ts';
import type { CallerPolicy } from '../server/caller-policy.ts';

/** An endpoint, and who may change it. */
export interface GuardedEndpoint {
  readonly endpoint: Endpoint;
  readonly access: CallerPolicy;
}
