import { join } from 'node:path';
import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import { configuredSettings } from '../../identity/accounts/access-settings.ts';
import { RenameFollower } from '../../identity/accounts/rename-follower.ts';
import type { Users } from '../../identity/accounts/user-directory.ts';
import { AccountCertificates } from '../../identity/peer-certificates/account-certificates.ts';
import { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import type { TrustEndpoints } from '../../identity/peer-certificates/trust.ts';
import type { CertificateClient, EndpointRef } from '../../manager/certificate-client.ts';
import { type Configuration, contentLimitsOf } from '../../platform/configuration.ts';
import { type Access, followRenames, makeAccess } from '../access.ts';
import { keepSessions } from './kept-sessions.ts';
import { followUsers } from './orphaned-user-data.ts';
import { endOtherUsers } from './other-users.ts';

/** What the service takes from outside. */
export interface AccessDependencies {
  readonly configuration: Configuration;
  readonly client: CertificateClient;
  readonly users: Users;
  readonly audit: Audit;
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
 * @throws SetupError when a file of accounts or settings cannot be read
 */
export function setUpAccess(
  dependencies: AccessDependencies,
  endpoints = () => dependencies.configuration.endpoints,
): ReadyAccess {
  const { configuration, users, audit, log } = dependencies;
  const accountCertificates = new AccountCertificates(
    join(configuration.redfish.directory, 'account-certificates.json'),
    { ...configuration.redfish.clientCertificates, content: contentLimitsOf(configuration) },
    log,
  );
  const settings = configuredSettings(configuration);
  const followed = join(configuration.redfish.directory, 'followed-renames.json');
  const renames = new RenameFollower(followed, log);
  const byPassword = makeAccess({ users, settings, renames, audit }, configuration.redfish.limits);
  const about = { users, settings, logins: byPassword.logins, accountCertificates };
  const certificates = clientCertificates(dependencies, endpoints, about);
  const access = { ...byPassword, certificates, accountCertificates };
  const kept = keepSessions(configuration, access.sessions, log);
  followRenames(access);
  const left = { certificates: accountCertificates, sessions: access.sessions };
  const settleSource = endOtherUsers(configuration, { ...left, kept }, log);
  void settleSource();
  const following = followUsers(left, access, settleSource, log);
  return {
    access,
    async settle() {
      await settleSource();
      await following.settle();
    },
    async close() {
      following.stop();
      await settleSource();
      await kept.close();
    },
  };
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
    limits: { ...redfish.clientCertificates, content: contentLimitsOf(configuration) },
    alwaysRespond,
    log,
  });
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
