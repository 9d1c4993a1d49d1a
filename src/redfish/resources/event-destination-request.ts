import {
  validateEventDestinationCreate,
  validateEventResume,
} from '../../../schemas/generated/validators.js';
import { checkDestination, DestinationFault } from '../../outbound/destination.ts';
import { RequestDeferred } from '../../outbound/request-deferred.ts';
import { normalPath } from '../certificates/collections.ts';
import type { EventSettings } from '../events/event-settings.ts';
import type { SubscriptionMembers } from '../events/push-subscriptions.ts';
import { refuseBadHeaders } from '../events/receiver-headers.ts';
import { memberError, unavailable } from '../messages/redfish-error.ts';
import { servedMessageId } from '../messages/registries.ts';
import type { RequestContext } from '../resource.ts';
import { resumeAction } from './event-destination-view.ts';

/** What the body of a POST to the subscriptions asks for. @throws RedfishError 400, 503 */
export async function subscriptionRequest(
  body: RequestContext['body'],
  settings: EventSettings,
): Promise<SubscriptionMembers> {
  const given = body.parse(validateEventDestinationCreate);
  await refuseBadDestination(given, settings);
  refuseBadHeaders(given.HttpHeaders, settings);
  for (const [at, id] of given.MessageIds.entries()) {
    if (servedMessageId(id) !== undefined) continue;
    const name = `MessageIds/${at}`;
    throw memberError(400, 'PropertyValueNotInList', [JSON.stringify(id), name], name);
  }
  const OriginResources = given.OriginResources.map(({ '@odata.id': uri }) => ({
    '@odata.id': normalPath(uri) ?? uri,
  }));
  return { ...given, OriginResources };
}

/** DeliverBufferedEventDuration in milliseconds; everything that waited when it is not given. */
export function bufferedAge({ body }: RequestContext): number {
  const { DeliverBufferedEventDuration: text } = body.parse(validateEventResume, {
    action: resumeAction,
    optional: true,
  });
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((n) => Number(n ?? 0));
  return 1000 * (((days * 24 + hours) * 60 + minutes) * 60 + seconds);
}

/** @throws RedfishError 400; 503 when the address cannot be checked now */
async function refuseBadDestination(
  { Destination }: SubscriptionMembers,
  settings: EventSettings,
): Promise<void> {
  try {
    await checkDestination(Destination, settings);
  } catch (error) {
    if (error instanceof RequestDeferred) throw unavailable(5);
    if (!(error instanceof DestinationFault)) throw error;
    throw memberError(400, 'PropertyValueError', ['Destination'], 'Destination', error.message);
  }
}
