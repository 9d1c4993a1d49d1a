import {
  type AccountServicePatch,
  validateAccountServicePatch,
} from '../../../schemas/generated/validators.js';
import type { CertificateLogin } from '../../identity/accounts/access-settings.ts';
import type { AccountPolicy } from '../../identity/accounts/account-policy.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { mayUse } from '../http/privileges.ts';
import { notWritable } from '../http/request-body.ts';
import { memberError, RedfishError } from '../messages/redfish-error.ts';
import { json, link, type Resource } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import { authMethodsView, wantedCertificates, wantedPolicy } from './auth-methods.ts';
import { refuseOutside } from './change.ts';
import { changedMultiFactorAuth, multiFactorAuthView } from './multi-factor-auth.ts';

const uri = '/redfish/v1/AccountService';
const ldap = `${uri}/LDAP/Certificates`;
const authorities = `${uri}/MultiFactorAuth/ClientCertificate/Certificates`;

/** Rules that the user manager of the system does not have: PAM counts after its own clock, of which it tells nothing. */
const ownRules = [
  'MaxPasswordLength',
  'AccountLockoutCounterResetAfter',
  'AccountLockoutCounterResetEnabled',
];

interface AccountServiceParts {
  readonly access: Access;
  readonly collections: () => readonly CertificateCollection[];
}

/** AccountService: the rules for passwords and guesses, and the way to accounts and certificates. */
export const accountService = ({
  access,
  collections,
}: AccountServiceParts): readonly Resource[] => [
  {
    path: uri,
    entity: 'AccountService',
    operations: {
      GET: { handle: async ({ identity }) => json(await view(access, collections(), identity)) },
      PATCH: {
        handle: async ({ body, identity }) => {
          const { certificates } = access;
          const isFile = access.users.source === 'file';
          const members = body.parse(validateAccountServicePatch, {
            changes: await view(access, collections(), identity),
            readOnly: isFile ? [] : ownRules,
          });
          // The bus has a byte for it
          refuseOutside('MinPasswordLength', members.MinPasswordLength, 1, isFile ? 1024 : 255);
          refuseOutside('MaxPasswordLength', members.MaxPasswordLength, 1, 1024);
          refuseOutside('AccountLockoutThreshold', members.AccountLockoutThreshold, 0, 1000);
          refuseOutside('AccountLockoutDuration', members.AccountLockoutDuration, 0, 86_400);
          const resetAfter = members.AccountLockoutCounterResetAfter;
          refuseOutside('AccountLockoutCounterResetAfter', resetAfter, 0, 86_400);
          const wanted = wantedCertificates(members);
          if (wanted && !certificates) {
            const name = members.MultiFactorAuth
              ? 'MultiFactorAuth'
              : 'Oem/OpenBMC/AuthMethods/TLS';
            throw new RedfishError(400, notWritable(name));
          }
          await changeRules(access, members, async (now) =>
            wanted && certificates
              ? changedMultiFactorAuth(certificates, identity, wanted, now)
              : undefined,
          );
          return json(await view(access, collections(), identity));
        },
      },
    },
  },
];

/**
 * Makes all of a request or nothing.
 * @param loginAfter how clients log in with certificates after it, when it says so
 */
async function changeRules(
  { settings, users: { source, policy: rules } }: Access,
  members: AccountServicePatch,
  loginAfter: (now: CertificateLogin) => Promise<CertificateLogin | undefined>,
): Promise<void> {
  const wanted = given({
    minPasswordLength: members.MinPasswordLength,
    maxPasswordLength: members.MaxPasswordLength,
    lockoutThreshold: members.AccountLockoutThreshold,
    lockoutSeconds: members.AccountLockoutDuration,
    lockoutResetSeconds: members.AccountLockoutCounterResetAfter,
    lockoutResetEnabled: members.AccountLockoutCounterResetEnabled,
  });
  const names = Object.keys(wanted) as (keyof AccountPolicy)[];
  let takeBack = async () => {};
  const change = settings.change(async ({ policy, clientCertificates }) => {
    const own = wantedPolicy(members, policy);
    const login = given({ clientCertificates: await loginAfter(clientCertificates) });
    if (names.length === 0) return { ...own, ...login };
    const before = await rules.read();
    // Our own count has nothing to do with the locks of the system
    const counted = source === 'file' ? {} : { lockoutSeconds: 0 };
    refuseConflicts({ ...before, ...wanted, ...counted }, members);
    // The keeper of the users may refuse what we would not, and so comes first
    await rules.change(wanted);
    takeBack = () => rules.change(Object.fromEntries(names.map((name) => [name, before[name]])));
    return { ...own, ...login };
  });
  await change.catch(async (error: unknown) => {
    // What went wrong first is what the client is told
    await takeBack().catch(() => undefined);
    throw error;
  });
}

function given<T extends object>(members: T) {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Of what the request touches only: it cannot mend what stood there before. @throws RedfishError 400 */
function refuseConflicts(policy: AccountPolicy, members: AccountServicePatch): void {
  const conflict = (pair: readonly [keyof AccountServicePatch, keyof AccountServicePatch]) => {
    if (!pair.some((name) => members[name] !== undefined)) return;
    const [one, other] = pair[0] in members ? pair : [pair[1], pair[0]];
    throw memberError(400, 'PropertyValueConflict', [one, other], one);
  };
  if (policy.minPasswordLength > policy.maxPasswordLength) {
    conflict(['MinPasswordLength', 'MaxPasswordLength']);
  }
  // The schema has both rules: 0 seconds lock nothing, and no lock ends before its count
  if (policy.lockoutSeconds > 0 && policy.lockoutResetSeconds > policy.lockoutSeconds) {
    conflict(['AccountLockoutCounterResetAfter', 'AccountLockoutDuration']);
  }
}

async function view(
  { settings: { policy }, certificates, users }: Access,
  collections: readonly CertificateCollection[],
  identity: Identity | undefined,
) {
  const rules = await users.policy.read();
  const isFile = users.source === 'file';
  const isHere = (path: string) => collections.some((collection) => collection.uri === path);
  const seesCertificates = mayUse(identity, 'ConfigureManager');
  return {
    '@odata.id': uri,
    '@odata.type': typeOf('AccountService'),
    Id: 'AccountService',
    Name: 'Account Service',
    Description: 'Account Service',
    Status: { State: 'Enabled', Health: 'OK' },
    ServiceEnabled: true,
    // A system may ask directories elsewhere too, before its own users or after them
    ...(isFile && { LocalAccountAuth: 'Enabled' }),
    HTTPBasicAuth: policy.basicAuth,
    MinPasswordLength: rules.minPasswordLength,
    MaxPasswordLength: rules.maxPasswordLength,
    AccountLockoutThreshold: rules.lockoutThreshold,
    AccountLockoutDuration: rules.lockoutSeconds,
    ...(isFile && {
      AccountLockoutCounterResetAfter: rules.lockoutResetSeconds,
      AccountLockoutCounterResetEnabled: rules.lockoutResetEnabled,
    }),
    SupportedAccountTypes: ['Redfish', 'WebUI'],
    Accounts: link(`${uri}/Accounts`),
    Roles: link(`${uri}/Roles`),
    ...(seesCertificates && isHere(ldap) && { LDAP: { Certificates: link(ldap) } }),
    // Without a truststore no client can log in by a certificate
    ...(isHere(authorities) && {
      MultiFactorAuth: multiFactorAuthView(certificates, authorities),
    }),
    Oem: authMethodsView(uri, policy, certificates),
  };
}
