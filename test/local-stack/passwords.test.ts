import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { commandBlocks } from '../../scripts/command-blocks.ts';
import { background, must, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { accountsAt } from '../fakes/accounts.ts';
import { opensSession, shownPassword } from '../fakes/password-login.ts';
import {
  launchUp,
  processesWith,
  runUp,
  type StackProcess,
  stackDirectory,
  startUp,
} from '../fakes/stack-process.ts';

const directory = stackDirectory();

let count = 0;
let state: string;
let stack: StackProcess | undefined;
beforeEach(() => {
  count += 1;
  state = join(directory, `state${count}`);
});
afterEach(async () => {
  stack?.kill('SIGTERM');
  await stack?.ended;
  stack = undefined;
});

const programs = () => [...processesWith(state).values()].join('\n');

describe('the first password', () => {
  it('is shown by the next start when the first one found its port taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    const { status, lines } = await runUp(['--state-dir', state, '--https-port', port]);
    taken.close();
    assert.equal(status, 1, lines.join('\n'));
    stack = await startUp(['--state-dir', state]);
    assert.ok(await opensSession(stack, shownPassword(stack.output())), stack.output());
  });

  const steps: readonly { step: string; reached: (output: string) => boolean }[] = [
    { step: 'the manager is started', reached: () => programs().includes('manager.js') },
    { step: 'the service is ready', reached: (output) => output.includes('Redfish service ready') },
    { step: 'it is shown', reached: (output) => shownPassword(output) !== undefined },
    { step: 'it is stored', reached: () => existsSync(join(state, 'accounts/accounts.json')) },
    { step: 'the stack is ready', reached: (output) => /^ready /m.test(output) },
  ];
  for (const { step, reached } of steps) {
    it(`is not stored without having been shown when kill -9 comes when ${step}`, async () => {
      const killed = launchUp(['--state-dir', state]);
      await until(step, () => reached(killed.output()));
      killed.kill('SIGKILL');
      await killed.ended;
      await until('its programs end', () => !/manager\.js|server\.js/.test(programs()));
      // Without an account, the next start makes another password
      const file = join(state, 'accounts/accounts.json');
      if (!existsSync(file)) return;
      const { kind } = await accountsAt(file).checkPassword(
        'admin',
        shownPassword(killed.output()) ?? '',
      );
      assert.equal(kind, 'ok', killed.output());
    });
  }
});

describe('a password', () => {
  it('is set anew, when it is lost, by the command that docs/how-to/troubleshoot.md has', async () => {
    stack = await startUp(['--state-dir', state]);
    const page = readFileSync(join(clone, 'docs/how-to/troubleshoot.md'), 'utf8');
    const command = commandBlocks(page).find(({ text }) => text.includes('--config var/'))?.text;
    const here = command?.replace('var/', `${state}/`);
    await must('sh', ['-e', '-c', `cd ${clone} && ${here}`], 'found-again-1\n');
    assert.ok(await opensSession(stack, 'found-again-1'));
    assert.ok(!(await opensSession(stack, shownPassword(stack.output()))));
  });

  it('is what standard input of npm start says, where --password-file is -', async () => {
    const args = ['--state-dir', state, '--https-port', '0', '--password-file', '-'];
    const started = background('npm', ['--silent', '--prefix', clone, 'start', '--', ...args]);
    try {
      started.process.stdin.end('correct-horse\n');
      const url = () => /^ready url=(\S+)/m.exec(started.output())?.[1];
      const ready = { url: await until('it is ready', url) };
      assert.ok(await opensSession({ ready }, 'correct-horse'), started.output());
      assert.equal(shownPassword(started.output()), undefined);
    } finally {
      await started.stop('SIGINT');
    }
  });
});
