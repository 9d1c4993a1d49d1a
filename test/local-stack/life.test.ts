import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { must, run, until } from '../e2e/commands.ts';
import { curl } from '../e2e/redfish-client.ts';
import { names } from '../fakes/manager-process.ts';
import { shownPassword } from '../fakes/password-login.ts';
import { startPrivateBus } from '../fakes/private-bus.ts';
import {
  launchUp,
  processesWith,
  runUp,
  type StackProcess,
  stackDirectory,
  startUp,
} from '../fakes/stack-process.ts';

const directory = stackDirectory();

const answers = async (stack: StackProcess) =>
  (await run('curl', ['-skf', '--max-time', '5', `${stack.ready.url}/redfish/v1`])).status === 0;

describe('a local stack in a directory with a space in its name', () => {
  const state = join(directory, 'with space');
  const elsewhere = join(directory, 'elsewhere');
  let stack: StackProcess;

  before(async () => {
    mkdirSync(elsewhere);
    const own = { HOME: elsewhere, TMPDIR: elsewhere, XDG_RUNTIME_DIR: elsewhere };
    const env = { ...process.env, ...own };
    stack = await startUp(['--state-dir', state], { cwd: elsewhere, env });
  });
  after(async () => {
    stack?.kill('SIGTERM');
    await stack?.ended;
  });

  it('prints one line for programs, with everything that they need', async () => {
    const { url, user, state: shown } = stack.ready;
    assert.match(url ?? '', /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(user, 'admin');
    assert.equal(shown, state);
    assert.equal(stack.output().match(/^ready /gm)?.length, 1);
    assert.equal((await curl(`${url}/redfish/v1`)).json.Id, 'RootService');
  });

  it('has nothing of edges that were not asked for, neither in the line nor as a program', () => {
    assert.deepEqual(Object.keys(stack.ready), ['url', 'user', 'bus', 'state']);
    const daemons = [...processesWith(state).values()].flatMap(
      (command) => /dbus-daemon|[\w-]+(?=\.js --config )/.exec(command) ?? [],
    );
    const expected = ['account-manager', 'certificate-manager', 'dbus-daemon', 'redfish-server'];
    assert.deepEqual(daemons.sort(), expected);
  });

  it('prints a command for curl that checks the certificate', async () => {
    const command = /^ +(curl .*)$/m.exec(stack.output())?.[1] ?? '';
    const login = ` -u admin:${shownPassword(stack.output())} `;
    const answer = await must('sh', ['-c', `${command.replace(' -u admin ', login)} -fsS`]);
    assert.match(answer, /HTTPS\/Certificates\/1/);
  });

  it('has a bus whose address busctl can use as it is', async () => {
    const bus = `--address=${stack.ready.bus}`;
    assert.match(await must('busctl', [bus, 'tree', names.server]), /server\/https\/1/);
  });

  const programs = [
    { program: 'certificate-manager', mark: /certificate-manager\.js/ },
    { program: 'redfish-server', mark: /redfish-server\.js/ },
    { program: 'dbus-daemon', mark: /^dbus-daemon/ },
  ];
  for (const { program, mark } of programs) {
    it(`starts ${program} again when it was killed, at the same address`, async () => {
      const find = () => [...processesWith(state)].find(([, command]) => mark.test(command))?.[0];
      const pid = find();
      assert.ok(pid !== undefined);
      process.kill(pid, 'SIGKILL');
      await until(`another ${program} runs`, () => {
        const next = find();
        return next !== undefined && next !== pid;
      });
      const bus = `--address=${stack.ready.bus}`;
      await until('the manager answers', async () => {
        return (await run('busctl', [bus, 'tree', names.authority])).status === 0;
      });
      await until('the service answers', () => answers(stack));
    });
  }

  it('ends with status 0 after SIGINT and leaves no process behind', async () => {
    stack.kill('SIGINT');
    assert.equal(await stack.ended, 0);
    assert.deepEqual([...processesWith(state)], []);
  });

  it('has written nothing outside of its state directory', () => {
    assert.deepEqual(readdirSync(elsewhere), []);
    assert.deepEqual(readdirSync(directory).sort(), ['elsewhere', 'with space']);
  });
});

describe('a local stack', () => {
  const state = join(directory, 'state');

  it('ends with status 0 after SIGTERM and leaves no process behind', async () => {
    const stack = await startUp(['--state-dir', state]);
    stack.kill('SIGTERM');
    assert.equal(await stack.ended, 0);
    assert.deepEqual([...processesWith(state)], []);
    assert.ok(!readdirSync(join(state, 'run')).some((name) => name.startsWith('stack.')));
  });

  it('shows no password when it is started again', async () => {
    const stack = await startUp(['--state-dir', state]);
    stack.kill('SIGTERM');
    await stack.ended;
    assert.match(stack.output(), /password +\(the one that was set\)/);
  });

  const moments = [
    { moment: 'at once', reached: () => true },
    { moment: 'when its bus runs', reached: () => existsSync(join(state, 'run/bus')) },
    {
      moment: 'when its manager starts',
      reached: () => [...processesWith(state).values()].some((one) => one.includes('manager.js')),
    },
    {
      moment: 'when its service starts',
      reached: () => [...processesWith(state).values()].some((one) => one.includes('server.js')),
    },
  ];
  for (const { moment, reached } of moments) {
    it(`that is stopped ${moment} leaves no process behind and ends with status 0`, async () => {
      rmSync(join(state, 'run'), { recursive: true, force: true });
      const stack = launchUp(['--state-dir', state]);
      await until('it runs', () => processesWith(state).has(stack.pid));
      // The signal counts from when the program has begun to run
      await until('it has begun', () => existsSync(join(state, 'run')));
      await until(moment, reached);
      stack.kill('SIGTERM');
      assert.equal(await stack.ended, 0, stack.output());
      assert.deepEqual([...processesWith(state)], []);
    });
  }

  it('that was killed itself takes its programs with it, and can be started again', async () => {
    const killed = await startUp(['--state-dir', state]);
    killed.kill('SIGKILL');
    await killed.ended;
    await until('its programs end', () => {
      return ![...processesWith(state).values()].some((one) => /manager\.js|server\.js/.test(one));
    });
    const next = await startUp(['--state-dir', state]);
    assert.ok(await answers(next));
    next.kill('SIGTERM');
    assert.equal(await next.ended, 0);
    await until('no process is left', () => processesWith(state).size === 0);
  });

  it('can use a bus that runs already', async () => {
    const host = await startPrivateBus();
    const guest = join(directory, 'guest');
    const endpoints = [{ type: 'server', name: 'gnmi', path: 'gnmi.pem' }];
    const configuration = join(directory, 'guest.json');
    await must(
      'tee',
      [configuration],
      JSON.stringify({ endpoints, redfish: { endpoint: 'gnmi' } }),
    );
    const bus = host.address;
    const second = await startUp(['--state-dir', guest, '--bus', bus, '--config', configuration]);
    assert.equal(second.ready.bus, bus);
    assert.ok(!existsSync(join(guest, 'run/bus')));
    const name = 'xyz.openbmc_project.Certs.Manager.Server.Gnmi';
    assert.match(await must('busctl', [`--address=${bus}`, 'tree', name]), /gnmi\/1/);
    const third = await runUp(['--state-dir', state, '--https-port', '0', '--bus', bus]);
    assert.equal(third.status, 1);
    assert.match(
      third.lines.at(-1) ?? '',
      /^Another account manager serves the accounts on this bus/,
    );
    second.kill('SIGTERM');
    assert.equal(await second.ended, 0);
    await host.stop();
  });
});
