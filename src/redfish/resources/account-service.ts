import { json, link, type ResourceFactory } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

const uri = '/redfish/v1/AccountService';

/** AccountService, as far as it leads to certificates. */
export const accountService: ResourceFactory = () => [
  {
    path: uri,
    entity: 'AccountService',
    operations: {
      GET: {
        handle: () =>
          json({
            '@odata.id': uri,
            '@odata.type': typeOf('AccountService'),
            Id: 'AccountService',
            Name: 'Account Service',
            Description: 'Account Service',
            ServiceEnabled: true,
            HTTPBasicAuth: 'Enabled',
            LDAP: { Certificates: link(`${uri}/LDAP/Certificates`) },
            MultiFactorAuth: {
              ClientCertificate: {
                Certificates: link(`${uri}/MultiFactorAuth/ClientCertificate/Certificates`),
              },
            },
          }),
      },
    },
  },
];
