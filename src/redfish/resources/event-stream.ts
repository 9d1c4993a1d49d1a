import {
  type EventPredicate,
  FilterFault,
  parseStreamFilter,
  type StreamFilterLimits,
} from '../events/stream-filter.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { RequestContext, ResourceFactory } from '../resource.ts';
import { eventServiceUri } from './event-service.ts';

/** The stream of server-sent events (DSP0266, "Server-sent events"). */
export const eventStream: ResourceFactory = ({ events }) => [
  {
    path: `${eventServiceUri}/SSE`,
    entity: 'EventStream',
    operations: {
      GET: {
        ownQuery: ['$filter'],
        handle(context) {
          const { identity } = context;
          if (!identity) throw new RedfishError(401, { id: 'NoValidSession', args: [] });
          refuseOtherMedia(context.header('Accept'));
          if (!events.state().enabled) {
            throw new RedfishError(503, { id: 'ServiceDisabled', args: [eventServiceUri] });
          }
          const wants = filterOf(context, events.settings);
          if (events.streams.isFull) {
            throw new RedfishError(503, { id: 'EventSubscriptionLimitExceeded', args: [] });
          }
          const lastId = context.header('Last-Event-ID');
          return {
            status: 200,
            headers: { 'Content-Type': 'text/event-stream; charset=utf-8' },
            stream: (response) => {
              const past = lastId === undefined ? [] : events.after(lastId);
              events.streams.open(response, identity, wants, past);
            },
          };
        },
      },
    },
  },
];

/** @throws RedfishError 406 */
function refuseOtherMedia(accept = '*/*'): void {
  const types = accept.split(',').map((one) => one.split(';')[0]?.trim().toLowerCase() ?? '');
  if (types.some((type) => ['', '*/*', 'text/*', 'text/event-stream'].includes(type))) return;
  const detail = 'The stream is text/event-stream';
  throw new RedfishError(406, { id: 'HeaderInvalid', args: ['Accept'], detail });
}

/** @throws RedfishError 400 */
function filterOf(context: RequestContext, limits: StreamFilterLimits): EventPredicate {
  const text = context.query('$filter');
  if (text === undefined) return () => true;
  try {
    return parseStreamFilter(text, limits);
  } catch (error) {
    if (!(error instanceof FilterFault)) throw error;
    const detail = `$filter cannot be used: ${error.message}`;
    throw new RedfishError(400, { id: 'QueryParameterValueError', args: ['$filter'], detail });
  }
}
