import {
  type EventDestinationCreate,
  validateEventDestinationCreate,
  validateEventResume,
} from '../../../schemas/generated/validators.js';
import { checkDestination, DestinationFault } from '../../outbound/destination.ts';
import { RequestDeferred } from '../../outbound/request-deferred.ts';
import { normalPath } from '../certificates/collections.ts';
import type { EventCriteria } from '../events/event-criteria.ts';
import type { EventSettings } from '../events/events.ts';
import type { SubscriptionRequest } from '../events/push-subscriptions.ts';
import {
  HeaderFault,
  type HeaderLimits,
  parseHeaders,
  type ReceiverHeader,
} from '../events/receiver-headers.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';
import { servedMessageId } from '../messages/registries.ts';
import type { RequestContext } from '../resource.ts';
import { resumeAction } from './event-destination-view.ts';

/** What the body of a POST to the subscriptions asks for. @throws RedfishError 400, 503 */
export async function subscriptionRequest(
  body: RequestContext['body'],
  settings: EventSettings,
): Promise<Omit<SubscriptionRequest, 'owner'>> {
  const given = body.parse(validateEventDestinationCreate);
  return {
    destination: await destinationOf(given, settings),
    context: given.Context ?? '',
    // The schema says false when it is absent; an unchecked receiver must be asked for
    verifyCertificate: given.VerifyCertificate ?? true,
    retryPolicy: given.DeliveryRetryPolicy ?? 'TerminateAfterRetries',
    headers: headersOf(given.HttpHeaders ?? [], settings),
    criteria: criteriaOf(given),
  };
}

/** @throws RedfishError 400 */
export function headersOf(
  list: readonly Readonly<Record<string, string>>[],
  limits: HeaderLimits,
): readonly ReceiverHeader[] {
  try {
    return parseHeaders(list, limits);
  } catch (error) {
    if (!(error instanceof HeaderFault)) throw error;
    throw invalid('HttpHeaders', error.message);
  }
}

/** DeliverBufferedEventDuration in milliseconds; everything that waited when it is not given. */
export function bufferedAge({ body }: RequestContext): number {
  if (/^\s*(\{\s*\}\s*)?$/.test(body.text)) return Number.POSITIVE_INFINITY;
  const { DeliverBufferedEventDuration: text } = body.parse(validateEventResume, {
    action: resumeAction,
  });
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return 1000 * ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0));
}

/** @throws RedfishError 400; 503 when nobody can tell now whose address it is */
async function destinationOf(
  { Destination }: EventDestinationCreate,
  settings: EventSettings,
): Promise<string> {
  try {
    await checkDestination(Destination, settings);
    return Destination;
  } catch (error) {
    if (error instanceof RequestDeferred) throw unavailable(5);
    if (!(error instanceof DestinationFault)) throw error;
    throw invalid('Destination', error.message);
  }
}

function invalid(member: string, detail: string): RedfishError {
  const related = [`#/${member}`];
  return new RedfishError(400, { id: 'PropertyValueError', args: [member], detail, related });
}

/** What a client asks for; members that are absent demand nothing. @throws RedfishError 400 when nothing could ever match */
function criteriaOf(given: EventDestinationCreate): EventCriteria {
  for (const [at, id] of (given.MessageIds ?? []).entries()) {
    if (servedMessageId(id) !== undefined) continue;
    const name = `MessageIds/${at}`;
    const args = [JSON.stringify(id), name];
    throw new RedfishError(400, { id: 'PropertyValueNotInList', args, related: [`#/${name}`] });
  }
  return {
    registryPrefixes: given.RegistryPrefixes ?? [],
    excludedRegistryPrefixes: given.ExcludeRegistryPrefixes ?? [],
    messageIds: given.MessageIds ?? [],
    excludedMessageIds: given.ExcludeMessageIds ?? [],
    resourceTypes: given.ResourceTypes ?? [],
    severities: given.Severities ?? [],
    eventTypes: given.EventTypes ?? [],
    originResources: (given.OriginResources ?? []).map(({ '@odata.id': uri }) => {
      return normalPath(uri) ?? uri;
    }),
    subordinateResources: given.SubordinateResources ?? false,
  };
}
