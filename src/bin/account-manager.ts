import '../platform/debug-signal.ts';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { Audit } from '../core/audit.ts';
import { makeLog } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { serveAccounts } from '../dbus/accounts/accounts-service.ts';
import { connectBus } from '../dbus/transport/bus.ts';
import { watchCallers } from '../dbus/transport/bus-driver.ts';
import { holdAccounts } from '../identity/accounts/account-claim.ts';
import { accountsPath, guardAccounts, openAccounts } from '../identity/configured-users.ts';
import { inText, parseConfiguration, readConfigurationText } from '../platform/configuration.ts';
import { followConfiguration } from '../platform/configuration-reload.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import { openStateDirectory } from '../platform/state-directory.ts';
import { readSystemAccounts } from '../platform/system-accounts.ts';
import { removeTempFiles } from '../storage/temp-files.ts';

const log = makeLog('account-manager');

await runProgram(log, async (fail, onReload) => {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  const { config: file } = values;
  if (file === undefined) throw new SetupError('Give --config FILE.');
  const from = { source: file, text: readConfigurationText(file) };
  const configuration = parseConfiguration(from.text, file);
  const { access } = configuration.users;
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
  const operators = [0, process.getuid?.() ?? 0];
  const allowed = await inText(from, async () => {
    const names = readSystemAccounts();
    return {
      users: access.users.map((name) => names.userId(name, '/users/access/users')),
      groups: access.groups.map((name) => names.groupId(name, '/users/access/groups')),
    };
  });
  const stop = await serveAccounts({
    ...{ busAddress: configuration.bus, callers: await watchCallers(bus), audit, log, onLost },
    ...{ accounts, users, operators },
    access: { ...allowed, users: [...operators, ...allowed.users] },
  });
  // No setting counts without a restart; the log says of which that is to be done
  const nothing = async () => async () => undefined;
  const program = 'account-manager';
  onReload(followConfiguration({ program, file, from, configuration, log }, nothing));
  log.info('account manager ready', { accounts: accounts.users.length });
  announceReady({});
  return async () => {
    stop();
    bus.close();
    claim.release();
  };
});
