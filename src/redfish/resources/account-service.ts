import { json, link, type ResourceFactory } from '../resource.ts';

const uri = '/redfish/v1/AccountService';

/** AccountService, as far as it leads to certificates. */
export const accountService: ResourceFactory = () => [
  {
    path: uri,
    operations: {
      GET: {
        privilege: 'Login',
        handle: () =>
          json({
            '@odata.id': uri,
            '@odata.type': '#AccountService.v1_15_0.AccountService',
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
