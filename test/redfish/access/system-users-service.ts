import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BusSystemUsers } from '../../../src/dbus/peers/user-manager.ts';
import { lockoutRulesOf } from '../../../src/identity/accounts/account-policy.ts';
import { GuardedUsers } from '../../../src/identity/accounts/guarded-users.ts';
import { RenameFollower } from '../../../src/identity/accounts/rename-follower.ts';
import { passwordHelper } from '../../../src/identity/system-users/password-helper.ts';
import { SystemUserDirectory } from '../../../src/identity/system-users/system-user-directory.ts';
import { type Access, followRenames, makeAccess } from '../../../src/redfish/access.ts';
import { makeApp } from '../../../src/redfish/app.ts';
import { until } from '../../e2e/commands.ts';
import { usualPolicy } from '../../fakes/accounts.ts';
import { type FakeHelper, makeFakeHelper } from '../../fakes/password-helper.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { type FakeUserManager, startFakeUserManager } from '../../fakes/user-manager.ts';
import { type Answer, type AskOptions, ask, httpLimits, makeTestParts } from '../service.ts';

/** The Redfish application with the users of a user manager on a real bus. */
export interface SystemUsersService {
  readonly bus: PrivateBus;
  readonly manager: FakeUserManager;
  readonly helper: FakeHelper;
  readonly access: Access;
  readonly guard: GuardedUsers;
  readonly users: BusSystemUsers;
  readonly log: string[];
  readonly port: number;
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** Logs in. @returns the token, or the status when there is none */
  login(userName: string, password: string): Promise<string | number>;
  close(): Promise<void>;
}

export async function startSystemUsersService(
  deadline = 10_000,
  maxWaiting = 5,
): Promise<SystemUsersService> {
  const directory = mkdtempSync(join(tmpdir(), 'system-users-'));
  const bus = await startPrivateBus();
  const manager = await startFakeUserManager(bus.address);
  const helper = makeFakeHelper(directory);
  const parts = await makeTestParts(directory);
  const { log, lines } = parts;
  const users = new BusSystemUsers({ busAddress: bus.address, log });
  await users.start();
  await until('the manager is seen', () => users.isThere);
  const system = new SystemUserDirectory({
    users,
    passwords: passwordHelper({ path: helper.path, deadline, maxWaiting, log }),
    policy: usualPolicy,
    log,
  });
  const { settings, audit } = parts.access;
  const guard = new GuardedUsers(system, {
    rules: () => lockoutRulesOf(usualPolicy),
    queuedLogins: 5,
    failedLogins: { entries: 1000, perAddress: 1000 },
    audit,
  });
  const renames = new RenameFollower(join(directory, 'renames-of-system.json'), log);
  const limits = { sessions: 100, sessionsPerUser: 50 };
  const access = makeAccess({ users: guard, settings, renames, audit }, limits);
  followRenames(access);
  await renames.complete();
  const app = makeApp({ limits: httpLimits, log, parts: { ...parts, access } });
  const server = createServer(app.handler);
  const port = await listen(server);
  return {
    bus,
    manager,
    helper,
    access,
    guard,
    users,
    log: lines,
    port,
    ask: (method, path, options) => ask(port, method, path, { as: '', ...options }),
    async login(UserName, Password) {
      const path = '/redfish/v1/SessionService/Sessions';
      const answer = await ask(port, 'POST', path, { as: '', body: { UserName, Password } });
      const token = answer.headers['x-auth-token'];
      return typeof token === 'string' ? token : answer.status;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      users.close();
      manager.leave();
      await bus.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** The password of everybody in these tests. */
export const word = 'Right Wörd 1';

/** Nobody but root, who is let in with `word`. */
export function beginWithRoot({ manager, helper, access, guard }: SystemUsersService): void {
  for (const name of [...manager.users.keys()]) manager.removeUser(name);
  manager.addUser('root', { privilege: 'priv-admin' });
  helper.fail(undefined);
  helper.setPassword('root', word);
  helper.asked();
  manager.asked.length = 0;
  access.sessions.endAll();
  for (const name of ['root', 'someone']) guard.unlock(name);
}

/** The header of a new session. */
export async function loggedIn(
  service: SystemUsersService,
  userName: string,
  password = word,
): Promise<Record<string, string>> {
  const answer = await service.login(userName, password);
  assert.equal(typeof answer, 'string', `${userName} is refused with ${answer}`);
  return { 'X-Auth-Token': String(answer) };
}
