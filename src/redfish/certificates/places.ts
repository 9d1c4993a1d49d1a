import type { CertificateClient } from '../../manager/certificate-client.ts';
import { type EndpointType, endpointTypes } from '../../manager/endpoint-definition.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';
import type { RequestContext } from '../resource.ts';
import { type CertificateCollection, runTimePath } from './collections.ts';

/** Where a collection is in the tree, or all those of run time of a type, which come and go without new routes. */
export interface Place {
  /** Path of the collection. */
  readonly path: string;
  readonly type: EndpointType;
  readonly canDelete: boolean;
  readonly makesRequests: boolean;
  /** The collection that a request is about. @throws RedfishError 404; 503 while there is no manager to say so */
  at(context: Pick<RequestContext, 'uri' | 'parameters'>): CertificateCollection;
}

export interface PlaceParts {
  readonly client: CertificateClient;
  readonly managerId: string;
  /** All that there are now. */
  readonly collections: () => readonly CertificateCollection[];
}

/** Those of the configuration have their own paths, which come first: its names are theirs alone. */
export function placesOf(parts: PlaceParts): readonly Place[] {
  const configured = parts.collections().filter(({ isOfRunTime }) => !isOfRunTime);
  return [
    ...configured.map(
      (collection): Place => ({
        path: collection.uri,
        type: collection.endpoint.type,
        canDelete: collection.canDelete,
        makesRequests: collection.requestUsages !== undefined,
        at: () => collection,
      }),
    ),
    ...endpointTypes.map((type) => runTimePlace(parts, type)),
  ];
}

function runTimePlace({ client, managerId, collections }: PlaceParts, type: EndpointType): Place {
  return {
    path: runTimePath(managerId, type),
    type,
    canDelete: true,
    makesRequests: type !== 'authority',
    at({ uri, parameters }) {
      const all = collections();
      const found = all.find(
        ({ isOfRunTime, endpoint }) =>
          isOfRunTime && endpoint.type === type && endpoint.name === parameters.endpoint,
      );
      if (found) return found;
      if (all.some(({ endpoint }) => client.isAvailable(endpoint)))
        throw new RedfishError(404, { id: 'ResourceMissingAtURI', args: [uri] });
      throw unavailable(5, { detail: 'unavailable: the certificate manager does not run' });
    },
  };
}
