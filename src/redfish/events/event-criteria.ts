import type { PublishedEvent } from './event-record.ts';

/** Which events a subscription wants; an empty list demands nothing. */
export interface EventCriteria {
  readonly registryPrefixes: readonly string[];
  readonly excludedRegistryPrefixes: readonly string[];
  readonly messageIds: readonly string[];
  readonly excludedMessageIds: readonly string[];
  readonly resourceTypes: readonly string[];
  readonly severities: readonly string[];
  readonly eventTypes: readonly string[];
  /** URIs without a slash at their end. */
  readonly originResources: readonly string[];
  readonly subordinateResources: boolean;
}

/**
 * An event must be wanted by every list (DSP0266, "Subscribing to events"). The two that name messages make one:
 * a message of the one or of a registry of the other is wanted (DSP2046, EventDestination.MessageIds).
 */
export function isWanted(criteria: EventCriteria, event: PublishedEvent): boolean {
  const passes = (list: readonly string[], matches: (entry: string) => boolean) =>
    list.length === 0 || list.some(matches);
  return (
    isWantedMessage(criteria, event) &&
    !criteria.excludedRegistryPrefixes.some((prefix) => hasPrefix(event, prefix)) &&
    !criteria.excludedMessageIds.some((id) => hasMessage(event, id)) &&
    passes(criteria.resourceTypes, (type) => event.resourceType === type) &&
    passes(criteria.severities, (severity) => event.severity === severity) &&
    passes(criteria.eventTypes, (type) => event.eventType === type) &&
    passes(criteria.originResources, (uri) => hasOrigin(event, uri, criteria.subordinateResources))
  );
}

function isWantedMessage(criteria: EventCriteria, event: PublishedEvent): boolean {
  const { registryPrefixes, messageIds } = criteria;
  return (
    (registryPrefixes.length === 0 && messageIds.length === 0) ||
    registryPrefixes.some((prefix) => hasPrefix(event, prefix)) ||
    messageIds.some((id) => hasMessage(event, id))
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

export function hasOrigin({ origin }: PublishedEvent, uri: string, subordinate: boolean): boolean {
  if (origin === undefined) return false;
  return origin === uri || (subordinate && origin.startsWith(`${uri}/`));
}
