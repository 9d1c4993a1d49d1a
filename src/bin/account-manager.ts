import '../platform/debug-signal.ts';
import { dirname } from 'node:path';
import { Audit } from '../core/audit.ts';
import type { Log } from '../core/log.ts';
import { serveAccounts } from '../dbus/accounts/accounts-service.ts';
import type { CallerPolicy } from '../dbus/server/caller-policy.ts';
import { connectBus } from '../dbus/transport/bus.ts';
import { watchCallers } from '../dbus/transport/bus-driver.ts';
import { holdAccounts } from '../identity/accounts/account-claim.ts';
import {
  accountsPath,
  configuredPolicy,
  guardAccounts,
  openAccounts,
} from '../identity/configured-users.ts';
import type { Configuration } from '../platform/configuration.ts';
import { openStateDirectory } from '../platform/state-directory.ts';
import { readSystemAccounts } from '../platform/system-accounts.ts';
import { removeTempFiles } from '../storage/temp-files.ts';
import { accessPolicy, ownUsers } from './set-up/access-policy.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';

/** What the configuration says, once names of users and groups are numbers. */
interface Settings {
  readonly configuration: Configuration;
  readonly access: CallerPolicy;
}

void runConfigured({ program: 'account-manager', settings: settingsOf, start: startManager });

/** @throws InvalidMember for a user or a group that does not exist */
function settingsOf(configuration: Configuration): Settings {
  const { access } = configuration.users;
  return { configuration, access: accessPolicy(access, '/users/access', readSystemAccounts()) };
}

async function startManager(
  { configuration, access }: Settings,
  log: Log,
  fail: (error: Error) => void,
): Promise<Serving<Settings>> {
  const path = accountsPath(configuration);
  openStateDirectory(dirname(path));
  const claim = await holdAccounts(path);
  await removeTempFiles(path);
  const audit = new Audit(log);
  const accounts = openAccounts(configuration);
  if (accounts.users.length === 0) log.warn('there is no account yet, so no user can log in');
  const users = guardAccounts(accounts, configuration, audit);
  const bus = await connectBus(configuration.bus);
  const onLost = () => fail(new Error('the connection to the D-Bus is lost'));
  bus.onLost(onLost);
  const service = await serveAccounts({
    ...{ busAddress: configuration.bus, callers: await watchCallers(bus), audit, log, onLost },
    ...{ accounts, users, operators: ownUsers, access },
  });
  log.info('account manager ready', { accounts: accounts.users.length });
  return {
    details: {},
    prepare: async (next) => async () => {
      accounts.configure(configuredPolicy(next.configuration));
      await service.allow(next.access);
    },
    async stop() {
      service.close();
      bus.close();
      claim.release();
    },
  };
}
