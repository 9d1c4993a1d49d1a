import type { ServerResponse } from 'node:http';
import { StreamLimit } from '../events/event-streams.ts';
import {
  type EventPredicate,
  FilterFault,
  parseStreamFilter,
  type StreamFilterLimits,
} from '../events/stream-filter.ts';
import { isOfOtherSite } from '../http/other-sites.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';
import type { RequestContext } from '../resource.ts';
import type { ResourceFactory } from '../service-parts.ts';
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
          refuseOtherSite(context);
          refuseOtherMedia(context.header('Accept'));
          if (!events.state().enabled) {
            throw new RedfishError(503, { id: 'ServiceDisabled', args: [eventServiceUri] });
          }
          const wants = filterOf(context, events.settings);
          const lastId = context.header('Last-Event-ID');
          return {
            status: 200,
            stream: (response) => {
              refuseWaiting(response);
              const past = lastId === undefined ? [] : events.after(lastId);
              try {
                events.streams.open(response, identity, wants, past);
              } catch (error) {
                if (!(error instanceof StreamLimit)) throw error;
                throw new RedfishError(503, { id: 'EventSubscriptionLimitExceeded', args: [] });
              }
            },
          };
        },
      },
    },
  },
];

/** A stream is opened by reading, and costs what a change does. @throws RedfishError 403 */
function refuseOtherSite({ header }: RequestContext): void {
  if (!isOfOtherSite(header)) return;
  const detail = 'A page of another site may not open a stream';
  throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [], detail });
}

/**
 * A response behind another one of its connection would take a place without a reader, perhaps for ever.
 * @throws RedfishError 503
 */
function refuseWaiting({ socket }: ServerResponse): void {
  if (socket) return;
  const detail = 'A stream cannot be opened while an earlier request of the connection waits';
  throw unavailable(1, { detail, headers: { Connection: 'close' } });
}

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
