import type {
  EndpointStatus,
  ReplacementStatus,
  WatchedAdministration,
} from '../../manager/administration.ts';
import type { CertificateClient, OutstandingRequest } from '../../manager/certificate-client.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { dateTime } from '../date-time.ts';
import { oemName, oemType } from './declaration.ts';

export interface OemViewParts {
  readonly client: CertificateClient;
  readonly administration: WatchedAdministration;
}

/** What a client waits for requests at most, who wants the certificates too. */
const requestMilliseconds = 1000;

export const replaceAllInfo = '/redfish/v1/CertificateService/ReplaceAllActionInfo';

export function replaceAllUri({ uri }: Pick<CertificateCollection, 'uri'>): string {
  return `${uri}/Actions/Oem/${oemName}.ReplaceAll`;
}

/** What a collection tells of its endpoint beside the certificates; nothing over upstream's manager. */
export async function oemOfCollection(
  { client, administration }: OemViewParts,
  collection: CertificateCollection,
): Promise<object> {
  const { endpoint, requestUsages } = collection;
  const status = administration.status(endpoint);
  if (!status) return {};
  // A manager that cannot tell them now keeps no client from the certificates, which are in a copy
  const requests = requestUsages
    ? await client.outstanding(endpoint, requestMilliseconds).catch(() => undefined)
    : [];
  const view = {
    '@odata.type': oemType('CertificateCollection'),
    ...(requests && { Requests: requests.map(requestView) }),
    ...statusView(status),
    ...(endpoint.type === 'authority' && { Actions: { Oem: replaceAllAction(collection) } }),
  };
  return { Oem: { [oemName]: view } };
}

function requestView({ id, created, pem }: OutstandingRequest) {
  return { Id: id, Created: dateTime(created.getTime()), CSRString: pem };
}

function statusView({ services, replacement }: EndpointStatus) {
  return {
    Services: services.map(({ service, outcome, reason, at, attempts }) => ({
      Service: service,
      Outcome: outcome,
      Reason: reason,
      Time: timeOrNull(at),
      Attempts: attempts,
    })),
    Replacement: replacementView(replacement),
  };
}

export function replacementView({ id, state, deadline }: ReplacementStatus) {
  return { Replacement: id ?? null, State: state, Deadline: timeOrNull(deadline) };
}

function timeOrNull(time: Date | undefined): string | null {
  return time ? dateTime(time.getTime()) : null;
}

/** A collection has no place for actions of its own (DSP0268, CertificateCollection). */
function replaceAllAction(collection: CertificateCollection) {
  const target = replaceAllUri(collection);
  return { [`#${oemName}.ReplaceAll`]: { target, '@Redfish.ActionInfo': replaceAllInfo } };
}
