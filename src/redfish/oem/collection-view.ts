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

export function replaceAllUri(collection: string): string {
  return `${collection}/Actions/Oem/${oemName}.ReplaceAll`;
}

/** What a collection tells of its endpoint beside the certificates; nothing over upstream's manager. */
export async function oemOfCollection(
  { client, administration }: OemViewParts,
  collection: CertificateCollection,
): Promise<object> {
  const { endpoint } = collection;
  const status = administration.status(endpoint);
  if (!status) return {};
  const requests = await requestsOf(client, collection);
  const view = {
    '@odata.type': oemType('CertificateCollection'),
    Origin: collection.isOfRunTime ? 'RunTime' : 'Configuration',
    ...(requests && { Requests: requests.map(requestView) }),
    ...statusView(status),
    ...(endpoint.type === 'authority' && { Actions: { Oem: replaceAllAction(collection) } }),
  };
  return { Oem: { [oemName]: view } };
}

/** @returns `undefined` where they are not told */
async function requestsOf(
  client: CertificateClient,
  { endpoint, requestUsages, isOfRunTime }: CertificateCollection,
): Promise<readonly OutstandingRequest[] | undefined> {
  if (!requestUsages) return [];
  // Their edges made them, and the manager notes each call that it refuses
  if (isOfRunTime) return undefined;
  // A manager that cannot tell them now keeps no client from the certificates, which are in a copy
  return client.outstanding(endpoint, requestMilliseconds).catch(() => undefined);
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
  const target = replaceAllUri(collection.uri);
  return { [`#${oemName}.ReplaceAll`]: { target, '@Redfish.ActionInfo': replaceAllInfo } };
}
