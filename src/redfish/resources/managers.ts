import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type RequestContext, type ResourceFactory } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

const collection = '/redfish/v1/Managers';

/** Managers, the one Manager, and its ManagerNetworkProtocol with the HTTPS certificates. */
export const managers: ResourceFactory = ({ managerId, places, port, serviceId }) => {
  const uri = `${collection}/${managerId}`;
  const collectionOf = (name: string) =>
    places.find((place) => place.canonical && place.endpoint.name === name)?.uri ?? '';
  const ours = ({ parameters }: RequestContext) => {
    if (parameters.manager === managerId) return;
    const args = ['Manager', parameters.manager ?? ''];
    throw new RedfishError(404, { id: 'ResourceNotFound', args });
  };
  return [
    {
      path: collection,
      entity: 'ManagerCollection',
      operations: {
        GET: {
          handle: () =>
            json({
              '@odata.id': collection,
              '@odata.type': typeOf('ManagerCollection'),
              Name: 'Manager Collection',
              Members: [link(uri)],
              'Members@odata.count': 1,
            }),
        },
      },
    },
    {
      path: `${collection}/:manager`,
      entity: 'Manager',
      operations: {
        GET: {
          handle: (context) => {
            ours(context);
            return json({
              '@odata.id': uri,
              '@odata.type': typeOf('Manager'),
              Id: managerId,
              Name: 'OpenBmc Manager',
              ManagerType: 'BMC',
              UUID: serviceId,
              DateTime: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
              DateTimeLocalOffset: '+00:00',
              NetworkProtocol: link(`${uri}/NetworkProtocol`),
              SecurityPolicy: link(`${uri}/SecurityPolicy`),
              Oem: {
                OpenBmc: {
                  '@odata.id': `${uri}#/Oem/OpenBmc`,
                  '@odata.type': '#OpenBMCManager.v1_1_0.Manager',
                  Certificates: link(collectionOf('truststore')),
                },
              },
            });
          },
        },
      },
    },
    {
      path: `${collection}/:manager/NetworkProtocol`,
      entity: 'ManagerNetworkProtocol',
      operations: {
        GET: {
          handle: (context) => {
            ours(context);
            return json({
              '@odata.id': `${uri}/NetworkProtocol`,
              '@odata.type': typeOf('ManagerNetworkProtocol'),
              Id: 'NetworkProtocol',
              Name: 'Manager Network Protocol',
              Description: 'Manager Network Service',
              HTTPS: {
                ProtocolEnabled: true,
                Port: port(),
                Certificates: link(collectionOf('https')),
              },
            });
          },
        },
      },
    },
  ];
};
