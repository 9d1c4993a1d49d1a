import { validateMultiFactorAuthPatch } from '../../../schemas/generated/validators.js';
import {
  changeMultiFactorAuth,
  multiFactorAuthView,
} from '../client-certificates/multi-factor-auth.ts';
import { json, link, type Operation, type ResourceFactory } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

const uri = '/redfish/v1/AccountService';

/** AccountService, as far as it leads to certificates. */
export const accountService: ResourceFactory = ({ clientCertificates }) => {
  const view = () => ({
    '@odata.id': uri,
    '@odata.type': typeOf('AccountService'),
    Id: 'AccountService',
    Name: 'Account Service',
    Description: 'Account Service',
    ServiceEnabled: true,
    HTTPBasicAuth: 'Enabled',
    LDAP: { Certificates: link(`${uri}/LDAP/Certificates`) },
    MultiFactorAuth: multiFactorAuthView(clientCertificates, uri),
  });
  const get: Operation = { handle: () => json(view()) };
  const patch: Operation | undefined = clientCertificates && {
    async handle({ body, identity }) {
      const wanted = body.parse(validateMultiFactorAuthPatch);
      await changeMultiFactorAuth(clientCertificates, identity, wanted);
      return json(view());
    },
  };
  const operations = patch ? { GET: get, PATCH: patch } : { GET: get };
  return [{ path: uri, entity: 'AccountService', operations }];
};
