import type { EndpointDefinition } from '../manager/endpoint-definition.ts';

export type EndpointName = Pick<EndpointDefinition, 'type' | 'name' | 'isOfRunTime'>;

/** What the metrics call an endpoint; no other endpoint is called so. */
export function endpointLabel({ type, name, isOfRunTime }: EndpointName): string {
  return `${isOfRunTime ? 'run-time/' : ''}${type}/${name}`;
}
