import type { EndpointStatus, WatchedAdministration } from '../../manager/administration.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { type CertificateCollection, findCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { badReference } from '../certificates/references.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';
import type { RequestContext } from '../resource.ts';

/** What the actions of ours are made from. */
export interface OemParts {
  readonly client: CertificateClient;
  readonly administration: WatchedAdministration;
  readonly collections: () => readonly CertificateCollection[];
}

/** Endpoints that are here now, with what their managers tell; without those of upstream's manager. */
export function offeredEndpoints({ client, administration, collections }: OemParts) {
  return collections()
    .filter(({ canonical, endpoint }) => canonical && client.isAvailable(endpoint))
    .flatMap((collection) => {
      const status = administration.status(collection.endpoint);
      return status ? [{ collection, status }] : [];
    });
}

/**
 * An action that no manager offers is not there.
 * @throws RedfishError 404; 503 while there is no manager to say so
 */
export function refuseAbsent(parts: OemParts, { uri }: Pick<RequestContext, 'uri'>): void {
  if (offeredEndpoints(parts).length > 0) return;
  const { client, collections } = parts;
  if (collections().some(({ endpoint }) => client.isAvailable(endpoint))) throw absent(uri);
  throw unavailable(5, { detail: 'unavailable: the certificate manager does not run' });
}

/** @throws RedfishError 404 where the manager of this one is upstream's; 503 while it is away */
export async function offeredStatus(
  { administration }: OemParts,
  { endpoint }: CertificateCollection,
  { uri }: Pick<RequestContext, 'uri'>,
): Promise<EndpointStatus> {
  const status = await asRedfish({}, () => administration.status(endpoint));
  if (!status) throw absent(uri);
  return status;
}

/** The collection that a parameter names. @throws RedfishError 400 */
export function namedCollection(
  { collections }: OemParts,
  parameter: string,
  reference: string,
  action: string,
): CertificateCollection {
  const collection = findCollection(collections(), reference);
  if (collection) return collection;
  throw badReference(parameter, reference, action, 'no collection of this service');
}

function absent(uri: string): RedfishError {
  return new RedfishError(404, { id: 'ResourceMissingAtURI', args: [uri] });
}
