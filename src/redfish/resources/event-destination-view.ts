import type { EventStream } from '../events/event-streams.ts';
import type { Subscription } from '../events/push-subscriptions.ts';
import { naming } from '../resource.ts';

export const collection = '/redfish/v1/EventService/Subscriptions';
export const suspendAction = 'EventDestination.SuspendSubscription';
export const resumeAction = 'EventDestination.ResumeSubscription';

/**
 * A subscription that pushes; its headers never appear.
 * @param whole whether the client may know the path and query of the receiver, which often hold a secret
 */
export function subscriptionView(
  { id, members, state }: Subscription,
  isFailing: boolean,
  whole: boolean,
) {
  const { Destination, EventTypes, ...others } = members;
  const uri = `${collection}/${id}`;
  return {
    ...naming('EventDestination', uri),
    Name: `Event Destination ${id}`,
    ...others,
    Destination: whole ? Destination : new URL(Destination).origin,
    HttpHeaders: [],
    // Deprecated (DSP2046, EventDestination)
    ...(EventTypes.length > 0 && { EventTypes }),
    'OriginResources@odata.count': members.OriginResources.length,
    Status: statusOf(state, isFailing),
    Actions: {
      [`#${suspendAction}`]: { target: `${uri}/Actions/${suspendAction}` },
      [`#${resumeAction}`]: { target: `${uri}/Actions/${resumeAction}` },
    },
  };
}

/** An open stream, which lives as long as its connection. */
export function streamView({ id, context, peer }: EventStream) {
  return {
    ...naming('EventDestination', `${collection}/${id}`),
    Name: `Event Stream ${id}`,
    Context: context,
    Destination: `redfish-sse://${peer}`,
    Protocol: 'Redfish',
    SubscriptionType: 'SSE',
    EventFormatType: 'Event',
    Status: { State: 'Enabled', Health: 'OK' },
  };
}

function statusOf(state: Subscription['state'], isFailing: boolean) {
  switch (state) {
    case 'active':
      return { State: 'Enabled', Health: isFailing ? 'Warning' : 'OK' };
    case 'suspended-by-client':
      return { State: 'Disabled', Health: 'OK' };
    case 'suspended-by-failures':
      return { State: 'Disabled', Health: 'Critical' };
  }
}
