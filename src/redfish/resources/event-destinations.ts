import { validateEventDestinationPatch } from '../../../schemas/generated/validators.js';
import type { Identity } from '../../identity/identity.ts';
import { hasPrivilege } from '../../identity/roles.ts';
import { type Subscription, SubscriptionLimit } from '../events/push-subscriptions.ts';
import { renderMessage } from '../messages/base-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type Operation, type Reply, type RequestContext } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory, ServiceParts } from '../service-parts.ts';
import { bufferedAge, headersOf, subscriptionRequest } from './event-destination-request.ts';
import {
  collection,
  resumeAction,
  streamView,
  subscriptionView,
  suspendAction,
} from './event-destination-view.ts';

/** Subscriptions: those that push, and the open streams (DSP2046, EventDestination v1_17_0). */
export const eventDestinations: ResourceFactory = (parts) => [
  {
    path: collection,
    entity: 'EventDestinationCollection',
    operations: { GET: { handle: () => json(listView(parts)) }, POST: subscribe(parts) },
  },
  // DSP0266: a collection also takes POST at the URI of its Members property
  {
    path: `${collection}/Members`,
    entity: 'EventDestinationCollection',
    operations: { POST: subscribe(parts) },
  },
  {
    path: `${collection}/:id`,
    entity: 'EventDestination',
    operations: {
      GET: { handle: ({ parameters, identity }) => json(viewOf(parts, parameters.id, identity)) },
      PATCH: { handle: (context) => patch(parts, context) },
      DELETE: { handle: (context) => remove(parts, context) },
    },
  },
  {
    path: `${collection}/:id/Actions/${suspendAction}`,
    entity: 'EventDestination',
    operations: {
      POST: {
        async handle(context) {
          await parts.events.subscriptions.suspend(pushTarget(parts, context).id);
          return success();
        },
      },
    },
  },
  {
    path: `${collection}/:id/Actions/${resumeAction}`,
    entity: 'EventDestination',
    operations: {
      POST: {
        async handle(context) {
          const { id } = pushTarget(parts, context);
          await parts.events.subscriptions.resume(id, bufferedAge(context));
          return success();
        },
      },
    },
  },
];

function subscribe({ events }: ServiceParts): Operation {
  return {
    async handle({ body, identity }) {
      const owner = identity?.account.userName ?? '';
      const request = { owner, ...(await subscriptionRequest(body, events.settings)) };
      try {
        const created = await events.subscriptions.create(request);
        const headers = { Location: `${collection}/${created.id}` };
        return { status: 201, headers, body: subscriptionView(created, false, true) };
      } catch (error) {
        if (!(error instanceof SubscriptionLimit)) throw error;
        throw new RedfishError(503, { id: 'EventSubscriptionLimitExceeded', args: [] });
      }
    },
  };
}

function listView({ events }: ServiceParts) {
  const ids = [...events.subscriptions.list(), ...events.streams.list()].map(({ id }) => id);
  return {
    '@odata.id': collection,
    '@odata.type': typeOf('EventDestinationCollection'),
    Name: 'Event Destinations Collection',
    Description: 'Who is told of events',
    Members: ids.map((id) => link(`${collection}/${id}`)),
    'Members@odata.count': ids.length,
  };
}

/** @throws RedfishError 404 */
function viewOf({ events }: ServiceParts, id = '', identity: Identity | undefined): object {
  const subscription = events.subscriptions.get(id);
  if (subscription) {
    const isFailing = events.subscriptions.isFailing(id);
    return subscriptionView(subscription, isFailing, seesWhole(subscription, identity));
  }
  const stream = events.streams.get(id);
  if (!stream) throw notFound(id);
  return streamView(stream);
}

function seesWhole({ owner }: Subscription, identity: Identity | undefined): boolean {
  if (!identity) return false;
  const { userName, role } = identity.account;
  return userName === owner || hasPrivilege(role, 'ConfigureManager');
}

function notFound(id: string): RedfishError {
  return new RedfishError(404, { id: 'ResourceNotFound', args: ['EventDestination', id] });
}

/** What an open stream has no use for, or was asked for with it. */
const pushOnly = ['DeliveryRetryPolicy', 'HttpHeaders', 'VerifyCertificate'];

async function patch(parts: ServiceParts, context: RequestContext): Promise<Reply> {
  const { subscriptions, streams } = parts.events;
  const { id } = ownTarget(parts, context);
  const stream = streams.get(id);
  const given = context.body.parse(validateEventDestinationPatch, {
    changes: viewOf(parts, id, context.identity),
    ...(stream && { readOnly: pushOnly }),
  });
  const { Context, DeliveryRetryPolicy, HttpHeaders, VerifyCertificate } = given;
  if (stream) {
    stream.context = Context ?? stream.context;
  } else {
    await subscriptions.change(id, {
      ...(Context !== undefined && { context: Context }),
      ...(DeliveryRetryPolicy !== undefined && { retryPolicy: DeliveryRetryPolicy }),
      ...(VerifyCertificate !== undefined && { verifyCertificate: VerifyCertificate }),
      ...(HttpHeaders !== undefined && { headers: headersOf(HttpHeaders, parts.events.settings) }),
    });
  }
  return json(viewOf(parts, id, context.identity));
}

async function remove(parts: ServiceParts, context: RequestContext): Promise<Reply> {
  const { id } = ownTarget(parts, context);
  if (parts.events.streams.get(id)) parts.events.streams.close(id);
  else await parts.events.subscriptions.remove(id);
  return success();
}

function success(): Reply {
  return json({ '@Message.ExtendedInfo': [renderMessage({ id: 'Success', args: [] })] });
}

/** @throws RedfishError 404 when it is not there, 403 when it is another's and may not be touched */
function ownTarget(
  { events }: ServiceParts,
  { identity, ownOnly, parameters: { id = '' } }: RequestContext,
): { readonly id: string } {
  const owner =
    events.subscriptions.get(id)?.owner ?? events.streams.get(id)?.identity.account.userName;
  if (owner === undefined) throw notFound(id);
  if (ownOnly && identity?.account.userName !== owner) {
    throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  }
  return { id };
}

/** A subscription that pushes; streams cannot be suspended. @throws RedfishError 404, 403 */
function pushTarget(parts: ServiceParts, context: RequestContext): Subscription {
  const { id } = ownTarget(parts, context);
  const found = parts.events.subscriptions.get(id);
  if (!found) throw notFound(id);
  return found;
}
