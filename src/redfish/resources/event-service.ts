import {
  validateEventServicePatch,
  validateEventSubmitTest,
} from '../../../schemas/generated/validators.js';
import { type CertificateCollection, findCertificate } from '../certificates/collections.ts';
import { type EventDraft, resourceEvent } from '../events/event-record.ts';
import type { Events } from '../events/events.ts';
import { memberError, RedfishError } from '../messages/redfish-error.ts';
import { eventRegistries, servedMessageId } from '../messages/registries.ts';
import { get, json, link, naming, type Operation, type Resource, success } from '../resource.ts';

export const eventServiceUri = '/redfish/v1/EventService';
const submitTest = 'EventService.SubmitTestEvent';
const testAll = 'EventService.TestEventSubscription';
const actions = `${eventServiceUri}/Actions`;

interface EventParts {
  readonly events: Events;
  readonly collections: () => readonly CertificateCollection[];
}

/** EventService with its test actions (DSP2046, EventService v1_12_0). */
export function eventService({ events, collections }: EventParts): readonly Resource[] {
  return [
    {
      path: eventServiceUri,
      entity: 'EventService',
      operations: { GET: get(() => view(events)), PATCH: patch(events) },
    },
    {
      path: `${actions}/${submitTest}`,
      entity: 'EventService',
      operations: { POST: submitTestEvent(events, collections) },
    },
    {
      path: `${actions}/${testAll}`,
      entity: 'EventService',
      operations: {
        POST: {
          handle() {
            const timestamp = new Date(events.now()).toISOString();
            publish(events, resourceEvent('TestMessage', [], { timestamp }));
            return success();
          },
        },
      },
    },
  ];
}

function patch(events: Events): Operation {
  return {
    async handle({ body }) {
      const { ServiceEnabled, DeliveryRetryAttempts, DeliveryRetryIntervalSeconds } = body.parse(
        validateEventServicePatch,
        { changes: view(events) },
      );
      await events.change({
        ...(ServiceEnabled !== undefined && { enabled: ServiceEnabled }),
        ...(DeliveryRetryAttempts !== undefined && { retryAttempts: DeliveryRetryAttempts }),
        ...(DeliveryRetryIntervalSeconds !== undefined && {
          retryIntervalSeconds: DeliveryRetryIntervalSeconds,
        }),
      });
      return json(view(events));
    },
  };
}

function view(events: Events) {
  const { enabled, retryAttempts, retryIntervalSeconds } = events.state();
  return {
    ...naming('EventService', eventServiceUri),
    Name: 'Event Service',
    Description: 'Tells clients what happens to certificates',
    ServiceEnabled: enabled,
    Status: enabled ? { State: 'Enabled', Health: 'OK' } : { State: 'Disabled' },
    DeliveryRetryAttempts: retryAttempts,
    DeliveryRetryIntervalSeconds: retryIntervalSeconds,
    EventFormatTypes: ['Event'],
    RegistryPrefixes: eventRegistries.map(({ prefix }) => prefix),
    ResourceTypes: ['Certificate'],
    Severities: ['OK', 'Warning', 'Critical'],
    ExcludeMessageId: true,
    ExcludeRegistryPrefix: true,
    IncludeOriginOfConditionSupported: false,
    OriginResourcesSupported: true,
    SubordinateResourcesSupported: true,
    ServerSentEventUri: `${eventServiceUri}/SSE`,
    SSEIncludeOriginOfConditionSupported: false,
    SSEFilterPropertiesSupported: {
      EventFormatType: true,
      MessageId: true,
      MetricReportDefinition: false,
      OriginResource: true,
      RegistryPrefix: true,
      ResourceType: true,
      SubordinateResources: true,
    },
    Subscriptions: link(`${eventServiceUri}/Subscriptions`),
    Actions: {
      [`#${submitTest}`]: {
        target: `${actions}/${submitTest}`,
        'EventType@Redfish.AllowableValues': [
          'StatusChange',
          'ResourceUpdated',
          'ResourceAdded',
          'ResourceRemoved',
          'Alert',
          'Other',
        ],
        'MessageSeverity@Redfish.AllowableValues': ['OK', 'Warning', 'Critical'],
      },
      [`#${testAll}`]: { target: `${actions}/${testAll}` },
    },
  };
}

/** The event bears what the client gave, and a number of ours in place of its EventId. */
function submitTestEvent(events: Events, collections: EventParts['collections']): Operation {
  return {
    handle({ body }) {
      const given = body.parse(validateEventSubmitTest, { action: submitTest });
      if (given.EventTimestamp !== undefined && Number.isNaN(Date.parse(given.EventTimestamp))) {
        throw badParameter('EventTimestamp');
      }
      const messageId = servedMessageId(given.MessageId);
      if (messageId === undefined) throw badParameter('MessageId');
      const origin = given.OriginOfCondition;
      const isCertificate = origin !== undefined && findCertificate(collections(), origin);
      publish(events, {
        messageId,
        eventType: given.EventType ?? 'Other',
        message: given.Message,
        messageArgs: given.MessageArgs,
        severity: given.MessageSeverity,
        timestamp: given.EventTimestamp,
        group: given.EventGroupId,
        origin,
        resourceType: isCertificate ? 'Certificate' : undefined,
      });
      return { status: 204 };
    },
  };
}

function badParameter(name: string): RedfishError {
  return memberError(400, 'ActionParameterValueError', [name, submitTest], name);
}

/** @throws RedfishError 503 while the service is disabled */
function publish(events: Events, draft: EventDraft): void {
  refuseWhileDisabled(events);
  events.publish(draft);
}

/** @throws RedfishError 503 */
export function refuseWhileDisabled(events: Events): void {
  if (events.state().enabled) return;
  throw new RedfishError(503, { id: 'ServiceDisabled', args: [eventServiceUri] });
}
