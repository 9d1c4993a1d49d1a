import type {
  EndpointStatus,
  ReplacementStatus,
  ServiceReload,
} from '../../manager/administration.ts';
import type { Properties } from '../server/object-tree.ts';

/**
 * Reads the properties of `Extension.Reload` and `Extension.Replacement`.
 * @returns `undefined` where they are not there, as with upstream's manager
 */
export function readEndpointStatus(properties: Properties): EndpointStatus | undefined {
  const { Services, State, Id, Deadline } = properties;
  if (!Services || !State || !Id || !Deadline) return undefined;
  return {
    services: (Services.value as ServiceRow[]).map(serviceReload),
    replacement: {
      state: lastPart(String(State.value)) as ReplacementStatus['state'],
      ...(Id.value !== '' && { id: String(Id.value) }),
      deadline: timeOf(Deadline.value as bigint),
    },
  };
}

type ServiceRow = readonly [string, string, string, bigint, number];

function serviceReload([service, outcome, reason, seconds, attempts]: ServiceRow): ServiceReload {
  return { service, outcome, reason, at: timeOf(seconds), attempts };
}

function timeOf(seconds: bigint): Date | undefined {
  return seconds === 0n ? undefined : new Date(Number(seconds) * 1000);
}

/** The value of an enumeration. */
export function lastPart(name: string): string {
  return name.split('.').at(-1) ?? '';
}
