import type { EventDestinationCreate } from '../../../schemas/generated/validators.js';
import type { PublishedEvent } from './event-record.ts';

/**
 * Whether a subscription wants an event: every list of its members must (DSP0266, "Subscribing to events"). The two that
 * name messages make one list: a message of the one or of a registry of the other is wanted (DSP2046, EventDestination.MessageIds).
 */
export function isWanted(members: EventDestinationCreate, event: PublishedEvent): boolean {
  const passes = (list: readonly string[], value: string | undefined) =>
    list.length === 0 || list.some((one) => one === value);
  const { OriginResources: origins, SubordinateResources: subordinate } = members;
  return (
    isWantedMessage(members, event) &&
    !members.ExcludeRegistryPrefixes.some((prefix) => hasPrefix(event, prefix)) &&
    !members.ExcludeMessageIds.some((id) => hasMessage(event, id)) &&
    passes(members.ResourceTypes, event.resourceType) &&
    passes(members.Severities, event.severity) &&
    passes(members.EventTypes, event.eventType) &&
    (origins.length === 0 ||
      origins.some(({ '@odata.id': uri }) => hasOrigin(event, uri, subordinate)))
  );
}

function isWantedMessage(
  { RegistryPrefixes, MessageIds }: EventDestinationCreate,
  event: PublishedEvent,
): boolean {
  return (
    (RegistryPrefixes.length === 0 && MessageIds.length === 0) ||
    RegistryPrefixes.some((prefix) => hasPrefix(event, prefix)) ||
    MessageIds.some((id) => hasMessage(event, id))
  );
}

/** Whether an event's message is of the registry with this prefix; a version behind the prefix does not matter. */
export function hasPrefix({ messageId }: PublishedEvent, prefix: string): boolean {
  return registryOf(messageId) === registryOf(prefix);
}

/** Whether this is an event's MessageId; its version does not matter (DSP2046, EventDestination.MessageIds). */
export function hasMessage({ messageId }: PublishedEvent, id: string): boolean {
  const [registry, ...rest] = id.split('.');
  const version = rest.slice(0, -1);
  if (registry !== registryOf(messageId) || !version.every((part) => /^\d+$/.test(part)))
    return false;
  return rest.at(-1) === messageId.split('.').at(-1);
}

function registryOf(messageId: string): string | undefined {
  return messageId.split('.')[0];
}

/** @param uri without a slash at its end */
export function hasOrigin({ origin }: PublishedEvent, uri: string, subordinate: boolean): boolean {
  if (origin === undefined) return false;
  return origin === uri || (subordinate && origin.startsWith(`${uri}/`));
}
