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
import { SystemUserDirectory } from '../../identity/system-users/system-user-directory.ts';
import type { CertificateClient, EndpointRef } from '../../manager/certificate-client.ts';
import type { Configuration } from '../../platform/configuration.ts';
import type { SystemUsers } from '../../platform/system-users.ts';
import { type Access, followRenames, makeAccess } from '../access.ts';
import { keepSessions } from './kept-sessions.ts';
import { followUsers } from './orphaned-user-data.ts';
import { endOtherUsers } from './other-users.ts';

/** What the service takes from outside. */
export interface AccessDependencies {
  readonly configuration: Configuration;
  readonly client: CertificateClient;
  /** Asked where the configuration says that the users are those of the system. */
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

/**
 * @param endpoints those of the configuration, which may be read again
 * @throws SetupError when a file of accounts or settings cannot be read, or a client identity is wrong
 */
export function setUpAccess(
  dependencies: AccessDependencies,
  endpoints = () => dependencies.configuration.endpoints,
): ReadyAccess {
  const { configuration, log } = dependencies;
  // A list with a mistake stops the start, and not the first login that needs it
  configuredClientIdentities(configuration, log);
  const users = userDirectory(dependencies);
  const accountCertificates = new AccountCertificates(
    join(configuration.redfish.directory, 'account-certificates.json'),
    configuration.redfish.clientCertificates,
    log,
  );
  const byPassword = passwordAccess(configuration, users, new Audit(log));
  const { settings, logins } = byPassword;
  const about = { users, settings, logins, accountCertificates };
  const certificates = clientCertificates(dependencies, endpoints, about);
  const access = { ...byPassword, certificates, accountCertificates };
  const kept = keepSessions(configuration, access.sessions, log);
  followRenames(access);
  const left = { certificates: accountCertificates, sessions: access.sessions };
  const ending = endOtherUsers(configuration, { ...left, kept }, log);
  const following = followUsers(left, users, log);
  return {
    access,
    async settle() {
      await ending;
      await following.settle();
    },
    async close() {
      following.stop();
      await ending;
      await kept.close();
    },
  };
}

function userDirectory({ configuration, systemUsers, log }: AccessDependencies): UserDirectory {
  const { users, redfish } = configuration;
  const { source, passwordHelper: path, passwordHelperSeconds } = users;
  if (source === 'bus' && path !== undefined) {
    const deadline = passwordHelperSeconds * 1000;
    const maxWaiting = users.limits.queuedLogins;
    const passwords = passwordHelper({ path, deadline, maxWaiting, log });
    return new SystemUserDirectory({ users: systemUsers, passwords, log });
  }
  const accounts = new Accounts(
    join(redfish.directory, 'accounts.json'),
    users.limits.accounts,
    log,
  );
  if (accounts.isEmpty) log.warn('there is no account yet, so nobody can log in');
  return accounts;
}

type CertificateAccess = Required<
  Pick<Access, 'users' | 'settings' | 'logins' | 'accountCertificates'>
>;

function clientCertificates(
  { configuration, client, hostName, log }: AccessDependencies,
  endpoints: () => Configuration['endpoints'],
  { users, settings, logins, accountCertificates }: CertificateAccess,
): ClientCertificates {
  const { redfish } = configuration;
  const { alwaysRespond } = redfish.clientCertificates;
  if (alwaysRespond) {
    log.warn('clients without a certificate are served whatever AccountService says');
  }
  return new ClientCertificates({
    client,
    endpoints: trustEndpoints(endpoints),
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
  const { sessions, sessionsPerUser } = configuration.redfish.limits;
  const { queuedLogins, failedLogins: entries, failuresPerAddress } = configuration.users.limits;
  const failedLogins = { entries, perAddress: failuresPerAddress };
  const limits = { sessions, sessionsPerUser, queuedLogins, failedLogins };
  return makeAccess(users, configuredSettings(configuration), limits, audit);
}

/** The list of revoked certificates counts from the moment that the configuration has it. */
function trustEndpoints(endpoints: () => Configuration['endpoints']): TrustEndpoints {
  const revoked = { type: 'authority', name: 'revoked' } as const;
  return {
    truststore: { type: 'authority', name: 'truststore' },
    get revoked() {
      const isThere = ({ type, name }: EndpointRef) =>
        type === revoked.type && name === revoked.name;
      return endpoints().some(isThere) ? revoked : undefined;
    },
  };
}
