import type { ServerResponse } from 'node:http';
import type { Events } from '../events/events.ts';
import { parseStreamFilter } from '../events/stream-filter.ts';
import { isOfOtherSite } from '../http/other-sites.ts';
import { forbidden, RedfishError, unavailable } from '../messages/redfish-error.ts';
import type { Operation, RequestContext, Resource } from '../resource.ts';
import { eventServiceUri, refuseWhileDisabled } from './event-service.ts';

/** The stream of server-sent events (DSP0266, "Server-sent events"). */
export function eventStream({ events }: { readonly events: Events }): readonly Resource[] {
  const GET: Operation = {
    ownQuery: ['$filter'],
    handle(context) {
      const { identity } = context;
      if (!identity) throw new RedfishError(401, { id: 'NoValidSession', args: [] });
      refuseOtherSite(context);
      refuseOtherMedia(context.header('Accept'));
      refuseWhileDisabled(events);
      const filter = context.query('$filter');
      const wants = filter === undefined ? () => true : parseStreamFilter(filter, events.settings);
      const lastId = context.header('Last-Event-ID');
      return {
        status: 200,
        stream: (response) => {
          refuseWaiting(response);
          const past = lastId === undefined ? [] : events.after(lastId);
          events.streams.open(response, identity, wants, past);
        },
      };
    },
  };
  return [{ path: `${eventServiceUri}/SSE`, entity: 'EventStream', operations: { GET } }];
}

/** A stream is opened by reading, and costs what a change does. @throws RedfishError 403 */
function refuseOtherSite({ header }: RequestContext): void {
  if (isOfOtherSite(header)) throw forbidden('A page of another site may not open a stream');
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
