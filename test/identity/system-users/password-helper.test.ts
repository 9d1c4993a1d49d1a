import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { passwordHelper } from '../../../src/identity/system-users/password-helper.ts';
import {
  PasswordsBusy,
  PasswordsUnavailable,
} from '../../../src/identity/system-users/passwords.ts';
import { until } from '../../e2e/commands.ts';
import { type FakeHelper, makeFakeHelper } from '../../fakes/password-helper.ts';

describe('the password helper', () => {
  let directory: string;
  let helper: FakeHelper;
  const lines: string[] = [];
  const note = (message: string, fields: object = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const helperAt = (path: string, deadline = 20_000, maxWaiting = 2) =>
    passwordHelper({ path, deadline, maxWaiting, log });

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'password-helper-'));
    helper = makeFakeHelper(directory);
  });

  beforeEach(() => {
    helper.fail(undefined);
    helper.setPassword('root', 'right');
    helper.asked();
    lines.length = 0;
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it('passes on its answers', async () => {
    const passwords = helperAt(helper.path);
    assert.equal(await passwords.check('root', 'right', '192.0.2.1'), 'right');
    assert.equal(await passwords.check('root', 'wrong', '192.0.2.1'), 'wrong');
    helper.setPassword('root', 'right', 'expired');
    assert.equal(await passwords.check('root', 'right', '192.0.2.1'), 'expired');
    helper.setPassword('root', 'right', 'locked');
    assert.equal(await passwords.check('root', 'right', '192.0.2.1'), 'locked');
    await passwords.set('root', 'other');
    assert.equal(helper.passwordOf('root'), 'other');
    helper.fail('refuse');
    await assert.rejects(passwords.set('root', 'x'), { code: 'password-refused' });
  });

  it('is killed with all that it started when it takes too long', async () => {
    helper.fail('hang');
    const answer = helperAt(helper.path, 500).check('root', 'right', '');
    await assert.rejects(answer, PasswordsUnavailable);
    assert.match(lines.join(), /longer than 500 ms/);
    const sleeper = helper.hung().at(-1);
    assert.ok(sleeper !== undefined);
    await until('what it started is gone', () => !isRunning(sleeper));
  });

  it('is asked one question at a time, and few may wait', async () => {
    helper.fail('hang');
    const before = helper.hung().length;
    const passwords = helperAt(helper.path, 1000, 2);
    const asked = [1, 2, 3, 4].map((at) => passwords.check('root', 'right', `${at}`));
    const outcomes = Promise.allSettled(asked);
    await assert.rejects(asked[3] ?? Promise.resolve(), PasswordsBusy);
    await until('the first was asked', () => helper.hung().length > before);
    helper.fail(undefined);
    const kinds = (await outcomes).map((one) =>
      one.status === 'fulfilled' ? one.value : one.reason.name,
    );
    assert.deepEqual(kinds, ['PasswordsUnavailable', 'right', 'right', 'PasswordsBusy']);
    assert.deepEqual(helper.asked(), ['check root 1', 'check root 2', 'check root 3']);
  });

  const absent: readonly (readonly [string, string])[] = [
    ['is not there', '/nowhere/helper'],
    ['is no program', '/etc/hostname'],
    ['is a directory', '/tmp'],
  ];
  for (const [what, path] of absent) {
    it(`lets nobody in when it ${what}`, async () => {
      await assert.rejects(helperAt(path).check('root', 'right', ''), PasswordsUnavailable);
    });
  }

  it('takes the word of a program that does not read', async () => {
    assert.equal(await helperAt('/bin/false').check('root', 'x'.repeat(500), ''), 'wrong');
  });

  it('cannot be told more than was asked', async () => {
    const passwords = helperAt(helper.path);
    assert.equal(await passwords.check('root', 'right\x00192.0.2.1', ''), 'wrong');
    await passwords.check('root\0right\0', 'wrong', '');
    assert.deepEqual(helper.asked(), ['check rootright ']);
  });

  describe('behind a socket', () => {
    let server: Server;
    let say: (question: string) => string;
    let path: string;

    before(async () => {
      path = join(directory, 'socket');
      server = createServer({ allowHalfOpen: true }, (socket) => {
        let text = '';
        socket.on('data', (more) => {
          text += String(more);
        });
        socket.on('error', () => undefined);
        socket.on('end', () => {
          const answer = say(text);
          if (answer !== 'never') socket.end(answer);
        });
      });
      await new Promise<void>((resolve) => server.listen(path, resolve));
    });

    after(() => server.close());

    it('gets the same question and answers with a line', async () => {
      say = (question) => (question === 'check\0root\0right\x00::1\0' ? '0\n' : '1\n');
      assert.equal(await helperAt(path).check('root', 'right', '::1'), 'right');
      assert.equal(await helperAt(path).check('root', 'other', '::1'), 'wrong');
    });

    for (const answer of ['', '0', '7\n', '00\n', '0\n0\n', ' 0\n', 'right\n', 'never']) {
      it(`lets nobody in with ${JSON.stringify(answer)}`, async () => {
        say = () => answer;
        await assert.rejects(helperAt(path, 300).check('root', 'right', ''), PasswordsUnavailable);
      });
    }

    it('lets nobody in when nobody listens', async () => {
      const gone = join(directory, 'gone');
      const script = `require('node:net').createServer().listen(${JSON.stringify(gone)}, () => process.kill(process.pid, 'SIGKILL'))`;
      const child = spawn(process.execPath, ['-e', script]);
      await new Promise((resolve) => child.once('exit', resolve));
      assert.ok(existsSync(gone));
      await assert.rejects(helperAt(gone).check('root', 'right', ''), PasswordsUnavailable);
    });
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
