import { CertError } from '../../core/cert-error.ts';
import type { EndpointStatus, WatchedAdministration } from '../../manager/administration.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { type CertificateCollection, findCollection } from '../certificates/collections.ts';
import { asRedfish, toRedfishError } from '../certificates/errors.ts';
import { badReference } from '../certificates/references.ts';
import { type RedfishError, unavailable } from '../messages/redfish-error.ts';

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
 * Before anything of an action that no manager offers is looked at.
 * @param refused what it is answered with
 * @throws RedfishError; 503 while there is no manager to say so
 */
export function refuseUnoffered(parts: OemParts, refused: () => RedfishError): void {
  if (offeredEndpoints(parts).length > 0) return;
  const { client, collections } = parts;
  if (collections().some(({ endpoint }) => client.isAvailable(endpoint))) throw refused();
  throw unavailable(5, { detail: 'unavailable: the certificate manager does not run' });
}

/** @throws RedfishError 501 where the manager of this one is upstream's; 503 while it is away */
export async function offeredStatus(
  { administration }: OemParts,
  { endpoint }: CertificateCollection,
  action: string,
): Promise<EndpointStatus> {
  const status = await asRedfish({}, () => administration.status(endpoint));
  if (!status) throw unofferedAction(action);
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

/** 501 for an action that the manager has nothing for. */
export function unofferedAction(action: string): RedfishError {
  const message = 'the certificate manager of this device does not offer that';
  return toRedfishError(new CertError('unsupported', message), { action });
}
