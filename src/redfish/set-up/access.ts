import { join } from 'node:path';
import { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import { configuredSettings } from '../../identity/accounts/access-settings.ts';
import { Accounts } from '../../identity/accounts/accounts.ts';
import type { UserDirectory } from '../../identity/accounts/user-directory.ts';
import { AccountCertificates } from '../../identity/peer-certificates/account-certificates.ts';
import { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import { configuredClientIdentities } from '../../identity/peer-certificates/client-identities.ts';
import type { TrustEndpoints } from '../../identity/peer-certificates/trust.ts';
import { passwordHelper } from '../../identity/system-users/password-helper.ts';
import { UserSource } from '../../identity/system-users/user-source.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { Configuration } from '../../platform/configuration.ts';
import type { SystemUsers } from '../../platform/system-users.ts';
import { type Access, followRenames, makeAccess } from '../access.ts';
import { keepSessions } from './kept-sessions.ts';
import { followUsers } from './orphaned-user-data.ts';

/** What the service takes from outside. */
export interface AccessDependencies {
  readonly configuration: Configuration;
  readonly client: CertificateClient;
  /** The users of the system, whether or not they count. */
  readonly systemUsers: SystemUsers;
  readonly hostName: () => string;
  readonly log: Log;
}

/** Everything that says who may use the service, as it is configured. */
export interface ReadyAccess {
  readonly access: Access & { readonly certificates: ClientCertificates };
  /** Resolves when nothing is left of users who are gone or count no more, or when it could not be taken now. */
  settle(): Promise<void>;
  /** Writes the sessions for the next start. */
  close(): Promise<void>;
}

/** @throws SetupError when a file of accounts or settings cannot be read, or a client identity is wrong */
export function setUpAccess(dependencies: AccessDependencies): ReadyAccess {
  const { configuration, log } = dependencies;
  // A list with a mistake stops the start, and not the first login that needs it
  configuredClientIdentities(configuration, log);
  const users = userSource(dependencies);
  const accountCertificates = new AccountCertificates(
    join(configuration.stateDirectory, 'account-certificates.json'),
    configuration.redfish.clientCertificates,
    log,
  );
  const byPassword = passwordAccess(configuration, users, new Audit(log));
  const { settings, logins } = byPassword;
  const about = { users, settings, logins, accountCertificates };
  const certificates = clientCertificates(dependencies, about);
  const access = { ...byPassword, certificates, accountCertificates };
  // First the kept ones, for a switch since the last run ends them too
  const kept = keepSessions(configuration, access.sessions, log);
  users.onSwitch(kept);
  followRenames(access);
  const left = { certificates: accountCertificates, sessions: access.sessions };
  const following = followUsers(left, users, log);
  users.start();
  return {
    access,
    async settle() {
      await users.settle();
      await following.settle();
    },
    async close() {
      following.stop();
      await users.settle();
      await kept.close();
    },
  };
}

/** It follows the system's users when it is started. */
function userSource({ configuration, systemUsers, log }: AccessDependencies): UserSource {
  const { redfish, stateDirectory } = configuration;
  const { source, passwordHelper: path, passwordHelperSeconds } = redfish.users;
  const helper = {
    deadline: passwordHelperSeconds * 1000,
    maxWaiting: redfish.limits.queuedLogins,
  };
  const accounts = new Accounts(
    join(stateDirectory, 'accounts.json'),
    redfish.limits.accounts,
    log,
  );
  const users = new UserSource({
    source,
    accounts,
    users: systemUsers,
    passwords: path === undefined ? undefined : passwordHelper({ path, ...helper, log }),
    recordPath: join(stateDirectory, 'users-source'),
    log,
  });
  if (accounts.isEmpty && users.isFile) log.warn('there is no account yet, so nobody can log in');
  return users;
}

type CertificateAccess = Required<
  Pick<Access, 'users' | 'settings' | 'logins' | 'accountCertificates'>
>;

function clientCertificates(
  { configuration, client, hostName, log }: AccessDependencies,
  { users, settings, logins, accountCertificates }: CertificateAccess,
): ClientCertificates {
  const { redfish } = configuration;
  const { alwaysRespond } = redfish.clientCertificates;
  if (alwaysRespond) {
    log.warn('clients without a certificate are served whatever AccountService says');
  }
  return new ClientCertificates({
    client,
    endpoints: trustEndpoints(configuration),
    accountCertificates,
    settings,
    logins,
    findUser: (userName) => users.find(userName),
    hostName,
    now: () => Date.now(),
    limits: redfish.clientCertificates,
    alwaysRespond,
    log,
  });
}

function passwordAccess(configuration: Configuration, users: UserDirectory, audit: Audit): Access {
  const { limits } = configuration.redfish;
  const failedLogins = { entries: limits.failedLogins, perAddress: limits.failuresPerAddress };
  return makeAccess(users, configuredSettings(configuration), { ...limits, failedLogins }, audit);
}

/** The list of revoked certificates counts from the moment that the configuration has it. */
function trustEndpoints({ endpoints }: Configuration): TrustEndpoints {
  const revoked = { type: 'authority', name: 'revoked' } as const;
  const isThere = endpoints.some(
    ({ type, name }) => type === revoked.type && name === revoked.name,
  );
  return { truststore: { type: 'authority', name: 'truststore' }, ...(isThere && { revoked }) };
}
