import { validateEventDestinationPatch } from '../../../schemas/generated/validators.js';
import type { Identity } from '../../identity/identity.ts';
import type { Events } from '../events/events.ts';
import type { Subscription } from '../events/push-subscriptions.ts';
import { refuseBadHeaders } from '../events/receiver-headers.ts';
import { mayUse } from '../http/privileges.ts';
import { forbidden, notFound } from '../messages/redfish-error.ts';
import {
  collectionView,
  creatable,
  get,
  json,
  type Operation,
  type Reply,
  type RequestContext,
  type Resource,
  success,
} from '../resource.ts';
import { bufferedAge, subscriptionRequest } from './event-destination-request.ts';
import {
  collection,
  resumeAction,
  streamView,
  subscriptionView,
  suspendAction,
} from './event-destination-view.ts';

/** Subscriptions: those that push, and the open streams (DSP2046, EventDestination v1_17_0). */
export function eventDestinations({ events }: { readonly events: Events }): readonly Resource[] {
  return [
    ...creatable(
      {
        path: collection,
        entity: 'EventDestinationCollection',
        operations: { GET: get(() => listView(events)) },
      },
      subscribe(events),
    ),
    {
      path: `${collection}/:id`,
      entity: 'EventDestination',
      operations: {
        GET: get(({ parameters, identity }) => viewOf(events, parameters.id, identity)),
        PATCH: { handle: (context) => patch(events, context) },
        DELETE: { handle: (context) => remove(events, context) },
      },
    },
    pushAction(events, suspendAction, ({ id }) => events.subscriptions.suspend(id)),
    pushAction(events, resumeAction, ({ id }, context) =>
      events.subscriptions.resume(id, bufferedAge(context)),
    ),
  ];
}

/** An action of a subscription that pushes: streams cannot be suspended. */
function pushAction(
  events: Events,
  name: string,
  act: (subscription: Subscription, context: RequestContext) => Promise<void>,
): Resource {
  const POST: Operation = {
    async handle(context) {
      const id = ownTarget(events, context);
      const subscription = events.subscriptions.get(id);
      if (!subscription) throw notFound('EventDestination', id);
      await act(subscription, context);
      return success();
    },
  };
  const path = `${collection}/:id/Actions/${name}`;
  return { path, entity: 'EventDestination', operations: { POST } };
}

function subscribe({ settings, subscriptions }: Events): Operation {
  return {
    async handle({ body, identity }) {
      const members = await subscriptionRequest(body, settings);
      const created = await subscriptions.create(identity?.account.userName ?? '', members);
      const headers = { Location: `${collection}/${created.id}` };
      return { status: 201, headers, body: subscriptionView(created, false, true) };
    },
  };
}

function listView({ subscriptions, streams }: Events) {
  return collectionView(
    collection,
    'EventDestinationCollection',
    ['Event Destinations Collection', 'Who is told of events'],
    [...subscriptions.list(), ...streams.list()].map(({ id }) => `${collection}/${id}`),
  );
}

/** @throws RedfishError 404 */
function viewOf({ subscriptions, streams }: Events, id = '', identity?: Identity): object {
  const subscription = subscriptions.get(id);
  if (subscription) {
    const isOwn = identity?.account.userName === subscription.owner;
    const seesWhole = isOwn || mayUse(identity, 'ConfigureManager');
    return subscriptionView(subscription, subscriptions.isFailing(id), seesWhole);
  }
  const stream = streams.get(id);
  if (!stream) throw notFound('EventDestination', id);
  return streamView(stream);
}

/** What an open stream has no use for, or was asked for with it. */
const pushOnly = ['DeliveryRetryPolicy', 'HttpHeaders', 'VerifyCertificate'];

async function patch(events: Events, context: RequestContext): Promise<Reply> {
  const { subscriptions, streams, settings } = events;
  const id = ownTarget(events, context);
  const stream = streams.get(id);
  const given = context.body.parse(validateEventDestinationPatch, {
    changes: viewOf(events, id, context.identity),
    ...(stream && { readOnly: pushOnly }),
  });
  if (stream) {
    stream.context = given.Context ?? stream.context;
  } else {
    refuseBadHeaders(given.HttpHeaders ?? [], settings);
    await subscriptions.change(id, given);
  }
  return json(viewOf(events, id, context.identity));
}

async function remove(events: Events, context: RequestContext): Promise<Reply> {
  const id = ownTarget(events, context);
  if (events.streams.get(id)) events.streams.close(id);
  else await events.subscriptions.remove(id);
  return success();
}

/** The id of a subscription or stream. @throws RedfishError 404 when it is not there, 403 for one of another user */
function ownTarget(
  { subscriptions, streams }: Events,
  { identity, ownOnly, parameters: { id = '' } }: RequestContext,
): string {
  const owner = subscriptions.get(id)?.owner ?? streams.get(id)?.identity.account.userName;
  if (owner === undefined) throw notFound('EventDestination', id);
  if (ownOnly && identity?.account.userName !== owner) throw forbidden();
  return id;
}
