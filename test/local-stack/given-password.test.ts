import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { commandBlocks } from '../../scripts/command-blocks.ts';
import { background, must, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { opensSession, shownPassword } from '../fakes/password-login.ts';
import { type StackProcess, stackDirectory, startUp } from '../fakes/stack-process.ts';

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
