import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { passwordHelper } from '../../src/identity/system-users/password-helper.ts';
import type { Passwords } from '../../src/identity/system-users/passwords.ts';
import { until } from '../e2e/commands.ts';

const source = fileURLToPath(new URL('../../helpers/pam-password.c', import.meta.url));

/** Why the helper cannot be tried here. */
function missing(): string | false {
  if (spawnSync('cc', ['--version']).error) return 'there is no C compiler';
  if (!existsSync('/usr/include/security/pam_appl.h')) return 'the headers of libpam are not there';
  if (process.getuid?.() !== 0) return 'only root may name a PAM service of his own';
  return false;
}

const password = 'right Pässword 1';

/** `ROOT` is replaced by the directory of the test. */
const services = {
  real: `auth [success=1 default=ignore] pam_exec.so quiet expose_authtok ROOT/judge
auth requisite pam_deny.so
auth required pam_permit.so
account required pam_permit.so`,
  counted: `auth required pam_faillock.so preauth dir=ROOT/tallies deny=3
auth [success=1 default=ignore] pam_exec.so quiet expose_authtok ROOT/judge-word
auth [default=die] pam_faillock.so authfail dir=ROOT/tallies deny=3
auth required pam_permit.so
account required pam_permit.so`,
  permit: 'auth required pam_permit.so\naccount required pam_permit.so',
  deny: 'auth required pam_deny.so\naccount required pam_permit.so',
  expired: 'auth required pam_permit.so\naccount required pam_debug.so acct=new_authtok_reqd',
  locked: 'auth required pam_permit.so\naccount required pam_debug.so acct=acct_expired',
  'account-denied': 'auth required pam_permit.so\naccount required pam_deny.so',
  tries: 'auth required pam_debug.so auth=maxtries\naccount required pam_permit.so',
  unknown: 'auth required pam_debug.so auth=user_unknown\naccount required pam_permit.so',
  'expired-and-wrong':
    'auth required pam_deny.so\naccount required pam_debug.so acct=new_authtok_reqd',
  broken: 'auth required pam_debug.so auth=authinfo_unavail\naccount required pam_permit.so',
  'absent-module': 'auth required pam_of_nobody.so\naccount required pam_permit.so',
  sets: 'password required pam_debug.so chauthtok=success',
  refuses: 'password required pam_debug.so prechauthtok=success chauthtok=authtok_err',
  breaks: 'password required pam_debug.so prechauthtok=success chauthtok=authtok_lock_busy',
};

describe('the PAM helper', { skip: missing() }, () => {
  let directory: string;
  let program: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pam-helper-'));
    program = join(directory, 'pam-password');
    const warnings = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O2'];
    const built = spawnSync('cc', [...warnings, '-o', program, source, '-lpam']);
    assert.equal(built.status, 0, String(built.stderr));
    for (const [name, text] of Object.entries(services)) {
      writeFileSync(join(directory, name), `${text.replaceAll('ROOT', directory)}\n`);
    }
    // Gets the password as PAM hands it on
    const judge = join(directory, 'judge');
    const expected = join(directory, 'expected');
    writeFileSync(expected, password);
    writeFileSync(
      judge,
      `#!/bin/sh
test "$PAM_USER" = operator || exit 1
test "$PAM_RHOST" = 192.0.2.7 || exit 1
test "$PAM_SERVICE" = real || exit 1
tr -d '\\0' | cmp -s - ${expected}
`,
    );
    chmodSync(judge, 0o700);
    mkdirSync(join(directory, 'tallies'));
    const judgeWord = join(directory, 'judge-word');
    writeFileSync(judgeWord, `#!/bin/sh\ntr -d '\\0' | cmp -s - ${expected}\n`);
    chmodSync(judgeWord, 0o700);
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  function ask(service: string, input: string, more: { readonly uid?: number } = {}) {
    const { status, stdout, stderr } = spawnSync(program, [service, directory], {
      input,
      ...more,
    });
    return { status, stdout: String(stdout), stderr: String(stderr) };
  }

  const question = (mode: string, name = 'operator', word = password) =>
    `${mode}\0${name}\0${word}\x00192.0.2.7\0`;

  it('hands name, password and address to PAM as they are', () => {
    assert.equal(ask('real', question('check')).status, 0);
    assert.equal(ask('real', question('check', 'operator', 'wrong')).status, 1);
    assert.equal(ask('real', question('check', 'operator', `${password} `)).status, 1);
    assert.equal(ask('real', question('check', 'somebody')).status, 1);
  });

  const answers: readonly (readonly [keyof typeof services, string, number])[] = [
    ['permit', 'check', 0],
    ['deny', 'check', 1],
    ['unknown', 'check', 1],
    ['expired', 'check', 2],
    ['expired-and-wrong', 'check', 1],
    ['locked', 'check', 3],
    ['account-denied', 'check', 3],
    ['tries', 'check', 3],
    ['broken', 'check', 70],
    ['absent-module', 'check', 70],
    ['sets', 'set', 0],
    ['refuses', 'set', 4],
    ['breaks', 'set', 70],
  ];
  for (const [service, mode, status] of answers) {
    it(`answers ${status} to ${mode} when PAM is ${service}`, () => {
      const answer = ask(service, question(mode));
      assert.equal(answer.status, status, answer.stderr);
      assert.equal(answer.stdout, status === 70 ? '' : `${status}\n`);
    });
  }

  it('takes no empty password for anybody', () => {
    assert.equal(ask('permit', question('check', 'operator', '')).status, 1);
    assert.equal(ask('sets', question('set', 'operator', '')).status, 4);
  });

  const malformed: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['no NUL at the end', 'check\0operator\0word\0address'],
    ['too few fields', 'check\0operator\0word\0'],
    ['too many fields', 'check\0operator\0word\0address\0more\0'],
    ['something else to do', 'delete\0operator\0word\0\0'],
    ['no name', 'check\0\0word\0\0'],
    ['more than there is room for', `check\0operator\0${'x'.repeat(4000)}\0\0`],
  ];
  for (const [what, input] of malformed) {
    it(`lets nobody in with ${what}`, () => {
      const answer = ask('permit', input);
      assert.deepEqual(answer, { status: 70, stdout: '', stderr: '' });
    });
  }

  it('lets root alone name a service', () => {
    chmodSync(directory, 0o755);
    assert.equal(ask('permit', question('check'), { uid: 65_534 }).status, 70);
  });

  const activate = '/usr/bin/systemd-socket-activate';
  it('answers the service behind a socket of systemd', {
    skip: !existsSync(activate),
  }, async () => {
    await withSocket('real', async ([edge]) => {
      const asked = [password, 'wrong', password].map((word) =>
        edge?.check('operator', word, '192.0.2.7'),
      );
      assert.deepEqual(await Promise.all(asked), ['right', 'wrong', 'right']);
    });
  });

  it('answers two edges at once, and the failed logins of both count together where pam_faillock does', {
    skip: !existsSync(activate),
  }, async () => {
    await withSocket('counted', async (edges) => {
      const askAll = (word: string) =>
        Promise.all(edges.map((edge) => edge.check('daemon', word, '192.0.2.7')));
      assert.deepEqual(await askAll(password), ['right', 'right']);
      for (const word of ['guess', 'another guess']) {
        assert.deepEqual(await askAll(word), ['wrong', 'wrong']);
      }
      assert.deepEqual(await askAll(password), ['wrong', 'wrong'], 'locked at both');
    });
  });

  /** Two edges, each with its own way to the helper behind a socket, as bmc-redfish-password.socket has it. */
  async function withSocket(service: string, use: (edges: readonly Passwords[]) => Promise<void>) {
    const socket = join(directory, `socket-${service}`);
    const args = ['-l', socket, '--accept', '--inetd', program, service, directory];
    const listener = spawn(activate, args, { stdio: 'ignore' });
    try {
      await until('it listens', () => existsSync(socket));
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const options = { path: socket, deadline: 10_000, maxWaiting: 5, log };
      await use([passwordHelper(options), passwordHelper(options)]);
    } finally {
      listener.kill();
    }
  }

  it('leaves no core behind', async () => {
    const child = spawn(program, ['real', directory], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.write('check\0operator\0');
    await until('it waits', () =>
      /Max core file size +0 +0/.test(readFileSync(`/proc/${child.pid}/limits`, 'utf8')),
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    assert.equal(await ended, 70);
  });

  it('never says what it was asked', () => {
    for (const service of Object.keys(services)) {
      const { stdout, stderr } = ask(service, question('check'));
      assert.doesNotMatch(stdout + stderr, /Pässword/);
    }
  });
});
