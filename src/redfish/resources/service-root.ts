import { json, link, type ResourceFactory } from '../resource.ts';

const root = '/redfish/v1';

/** `/redfish`, the service root and the OData service document (DSP0266, "Resources"). */
export const serviceRoot: ResourceFactory = ({ managerId, serviceId }) => [
  {
    path: '/redfish',
    operations: { GET: { privilege: 'none', handle: () => json({ v1: `${root}/` }) } },
  },
  {
    path: root,
    operations: {
      GET: {
        privilege: 'none',
        handle: () =>
          json({
            '@odata.id': root,
            '@odata.type': '#ServiceRoot.v1_15_0.ServiceRoot',
            Id: 'RootService',
            Name: 'Root Service',
            RedfishVersion: '1.17.0',
            UUID: serviceId,
            AccountService: link(`${root}/AccountService`),
            CertificateService: link(`${root}/CertificateService`),
            Managers: link(`${root}/Managers`),
            SessionService: link(`${root}/SessionService`),
            Links: {
              ManagerProvidingService: link(`${root}/Managers/${managerId}`),
              Sessions: link(`${root}/SessionService/Sessions`),
            },
          }),
      },
    },
  },
  {
    path: `${root}/odata`,
    operations: {
      GET: {
        privilege: 'none',
        handle: () =>
          json({
            '@odata.context': `${root}/$metadata`,
            value: ['AccountService', 'CertificateService', 'Managers', 'SessionService'].map(
              (name) => ({ name, kind: 'Singleton', url: `${root}/${name}` }),
            ),
          }),
      },
    },
  },
];
