import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BusAccounts } from '../../src/dbus/accounts/bus-accounts.ts';
import { run, until } from '../e2e/commands.ts';
import { type AccountManagerProcess, startAccountManager } from '../fakes/account-manager.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';

const program = fileURLToPath(new URL('../../dist/account-manager.js', import.meta.url));
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

describe('an account manager that reads its configuration again', () => {
  let bus: PrivateBus;
  let manager: AccountManagerProcess;
  let edge: BusAccounts;
  let file: string;
  const write = (users: object) => {
    writeFileSync(file, JSON.stringify({ bus: bus.address, stateDirectory: bus.directory, users }));
  };
  const lines = (text: string) => manager.output().split(text).length - 1;
  const reload = async (users: object, said: string) => {
    write(users);
    const before = lines(said);
    process.kill(manager.pid, 'SIGHUP');
    await until(said, () => lines(said) > before);
  };
  const check = async () => await run(process.execPath, [program, '--config', file, '--check']);

  before(async () => {
    bus = await startPrivateBus();
    file = join(bus.directory, 'configuration.json');
    write({});
    manager = await startAccountManager(file);
    edge = new BusAccounts({ busAddress: bus.address, log });
    await edge.start();
  });
  after(async () => {
    edge?.close();
    await manager?.stop();
    await bus?.stop();
  });

  it('has new rules at once, tells them to the edges, and names what needs a restart', async () => {
    const policy = { minPasswordLength: 12, lockoutThreshold: 2 };
    await reload({ policy, limits: { accounts: 5 } }, 'settings count after a restart');
    assert.match(manager.output(), /settings="?\/users\/limits\/accounts"?\n/);
    await until('the edge knows', async () => (await edge.policy.read()).lockoutThreshold === 2);
    assert.equal((await edge.policy.read()).minPasswordLength, 12);
  });

  it('changes nothing for a user who does not exist, and says where', async () => {
    const before = await edge.policy.read();
    const users = { access: { users: ['no-such-user'] }, policy: { minPasswordLength: 20 } };
    await reload(users, 'configuration refused, the old one stays');
    const words = /\/users\/access\/users\/0 \(line 1, column \d+\) names the user no-such-user/;
    assert.match(manager.output(), words);
    assert.deepEqual(await edge.policy.read(), before);
    const { status, stdout, stderr } = await check();
    assert.equal(status, 1);
    assert.match(stdout + stderr, words);
  });

  it('finds a good file good without a manager', async () => {
    write({ policy: { minPasswordLength: 20 } });
    assert.equal((await check()).status, 0);
  });
});
