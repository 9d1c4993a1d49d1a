import { validateAccountServicePatch } from '../../../schemas/generated/validators.js';
import type { Access } from '../access/access.ts';
import type { AccessPolicy } from '../access/access-settings.ts';
import type { Identity } from '../access/authentication.ts';
import { hasPrivilege } from '../access/privileges.ts';
import {
  changeMultiFactorAuth,
  multiFactorAuthView,
} from '../client-certificates/multi-factor-auth.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type ResourceFactory } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import { refuseOutside, refuseUnwritable } from './change.ts';

const uri = '/redfish/v1/AccountService';

const readOnly = [
  'Id',
  'Name',
  'Description',
  'ServiceEnabled',
  'Status',
  'SupportedAccountTypes',
  'Accounts',
  'Roles',
];

/** AccountService: the rules for passwords and guesses, and the way to accounts and certificates. */
export const accountService: ResourceFactory = ({ access }) => [
  {
    path: uri,
    entity: 'AccountService',
    operations: {
      GET: { handle: ({ identity }) => json(view(access, identity)) },
      PATCH: {
        handle: async ({ body, identity }) => {
          const { settings, certificates } = access;
          const members = body.parse(validateAccountServicePatch);
          refuseUnwritable(members, readOnly);
          refuseOutside('MinPasswordLength', members.MinPasswordLength, 1, 1024);
          refuseOutside('MaxPasswordLength', members.MaxPasswordLength, 1, 1024);
          refuseOutside('AccountLockoutThreshold', members.AccountLockoutThreshold, 0, 1000);
          refuseOutside('AccountLockoutDuration', members.AccountLockoutDuration, 0, 86_400);
          const resetAfter = members.AccountLockoutCounterResetAfter;
          refuseOutside('AccountLockoutCounterResetAfter', resetAfter, 0, 86_400);
          const asked = {
            minPasswordLength: members.MinPasswordLength,
            maxPasswordLength: members.MaxPasswordLength,
            lockoutThreshold: members.AccountLockoutThreshold,
            lockoutSeconds: members.AccountLockoutDuration,
            lockoutResetSeconds: resetAfter,
            lockoutResetEnabled: members.AccountLockoutCounterResetEnabled,
            basicAuth: members.HTTPBasicAuth,
          };
          const wanted = members.MultiFactorAuth?.ClientCertificate;
          const change = () =>
            settings.change(given(asked), (policy) => refuseConflicts(policy, members));
          if (wanted && certificates) {
            await changeMultiFactorAuth(certificates, identity, wanted, change);
          } else {
            if (wanted) refuseUnwritable(members, ['MultiFactorAuth']);
            await change();
          }
          return json(view(access, identity));
        },
      },
    },
  },
];

function given(members: { [K in keyof AccessPolicy]?: AccessPolicy[K] | undefined }) {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Partial<AccessPolicy>;
}

/** @throws RedfishError 400 */
function refuseConflicts(policy: AccessPolicy, members: object): void {
  const conflict = (pair: readonly [string, string]) => {
    const [one, other] = pair[0] in members ? pair : [pair[1], pair[0]];
    const message = { id: 'PropertyValueConflict', args: [one, other], related: [`#/${one}`] };
    throw new RedfishError(400, { ...message, id: 'PropertyValueConflict' });
  };
  if (policy.minPasswordLength > policy.maxPasswordLength) {
    conflict(['MinPasswordLength', 'MaxPasswordLength']);
  }
  // The schema has both rules: 0 seconds lock nothing, and no lock ends before its count
  if (policy.lockoutSeconds > 0 && policy.lockoutResetSeconds > policy.lockoutSeconds) {
    conflict(['AccountLockoutCounterResetAfter', 'AccountLockoutDuration']);
  }
}

function view({ settings: { policy }, certificates }: Access, identity: Identity | undefined) {
  const seesCertificates = identity && hasPrivilege(identity.account.role, 'ConfigureManager');
  return {
    '@odata.id': uri,
    '@odata.type': typeOf('AccountService'),
    Id: 'AccountService',
    Name: 'Account Service',
    Description: 'Account Service',
    Status: { State: 'Enabled', Health: 'OK' },
    ServiceEnabled: true,
    HTTPBasicAuth: policy.basicAuth,
    MinPasswordLength: policy.minPasswordLength,
    MaxPasswordLength: policy.maxPasswordLength,
    AccountLockoutThreshold: policy.lockoutThreshold,
    AccountLockoutDuration: policy.lockoutSeconds,
    AccountLockoutCounterResetAfter: policy.lockoutResetSeconds,
    AccountLockoutCounterResetEnabled: policy.lockoutResetEnabled,
    SupportedAccountTypes: ['Redfish', 'WebUI'],
    Accounts: link(`${uri}/Accounts`),
    Roles: link(`${uri}/Roles`),
    ...(seesCertificates && { LDAP: { Certificates: link(`${uri}/LDAP/Certificates`) } }),
    MultiFactorAuth: multiFactorAuthView(certificates, uri),
  };
}
