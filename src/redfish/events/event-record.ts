import { baseRegistry } from '../messages/base-registry.ts';
import { messageOf } from '../messages/registry.ts';
import {
  type ResourceEventMessageId,
  resourceEventRegistry,
} from '../messages/resource-event-registry.ts';
import { typeOf } from '../schema-versions.ts';

/** What an event says; everything but its number. */
export interface EventDraft {
  readonly messageId: string;
  /** Redfish `EventType`: deprecated, yet demanded by the schema of the record. */
  readonly eventType: string;
  readonly message?: string | undefined;
  readonly messageArgs?: readonly string[] | undefined;
  readonly severity?: string | undefined;
  readonly resolution?: string | undefined;
  /** URI of the resource that it is about. */
  readonly origin?: string | undefined;
  /** Schema name of that resource. */
  readonly resourceType?: string | undefined;
  /** ISO 8601, as it is shown. */
  readonly timestamp?: string | undefined;
  readonly group?: number | undefined;
}

/** An event that was published. */
export interface PublishedEvent extends EventDraft {
  readonly id: number;
}

const eventTypes = {
  ResourceChanged: 'ResourceUpdated',
  ResourceCreated: 'ResourceAdded',
  ResourceRemoved: 'ResourceRemoved',
  ResourceStatusChangedCritical: 'StatusChange',
  ResourceStatusChangedOK: 'StatusChange',
  ResourceStatusChangedWarning: 'StatusChange',
  TestMessage: 'Other',
} as const satisfies Partial<Record<ResourceEventMessageId, string>>;

/** An event with a message of the ResourceEvent registry. */
export function resourceEvent(
  key: keyof typeof eventTypes,
  args: readonly string[],
  more: Partial<EventDraft>,
): EventDraft {
  const message = draft(messageOf(resourceEventRegistry, key, args), eventTypes[key]);
  return { ...message, ...more };
}

/** Says that events before this one are gone; it bears the number of the last of them. */
export function bufferExceeded(id: number, now: number): PublishedEvent {
  const message = messageOf(baseRegistry, 'EventBufferExceeded', []);
  return { id, ...draft(message, 'Other'), timestamp: new Date(now).toISOString() };
}

function draft(message: ReturnType<typeof messageOf>, eventType: string): EventDraft {
  return {
    messageId: message.MessageId,
    eventType,
    message: message.Message,
    messageArgs: message.MessageArgs,
    severity: message.MessageSeverity,
    resolution: message.Resolution,
  };
}

/** The Event payload (DSP0266, "Event message objects") as one subscriber gets it. */
export function renderEvent(event: PublishedEvent, context: string): object {
  const id = String(event.id);
  return {
    '@odata.type': typeOf('Event'),
    Id: id,
    Name: 'Event',
    Context: context,
    Events: [
      {
        EventId: id,
        MemberId: '0',
        EventType: event.eventType,
        MessageId: event.messageId,
        ...(event.timestamp !== undefined && { EventTimestamp: event.timestamp }),
        ...(event.message !== undefined && { Message: event.message }),
        ...(event.messageArgs !== undefined && { MessageArgs: event.messageArgs }),
        ...(event.severity !== undefined && { MessageSeverity: event.severity }),
        ...(event.resolution !== undefined && { Resolution: event.resolution }),
        ...(event.origin !== undefined && { OriginOfCondition: { '@odata.id': event.origin } }),
        ...(event.group !== undefined && { EventGroupId: event.group }),
      },
    ],
    'Events@odata.count': 1,
  };
}
