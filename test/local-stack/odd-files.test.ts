import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { run } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { processesWith, runUp, stackDirectory, startUp } from '../fakes/stack-process.ts';

/** What may stand in place of a file. */
const things: Readonly<Record<string, (path: string) => void>> = {
  'a FIFO': (path) => void spawnSync('mkfifo', [path]),
  'a directory': (path) => mkdirSync(path),
  'a device': (path) => void spawnSync('mknod', [path, 'c', '1', '5']),
  'a socket': (path) =>
    void spawnSync('python3', ['-c', 'import socket,sys;socket.socket(1).bind(sys.argv[1])', path]),
};

describe('a local stack that finds something else in place of a file', () => {
  const directory = stackDirectory();
  let count = 0;
  /** A state directory with a thing in it. */
  const stateWith = (name: string, place: (path: string) => void) => {
    count += 1;
    const state = join(directory, `state${count}`);
    mkdirSync(dirname(join(state, name)), { recursive: true, mode: 0o700 });
    place(join(state, name));
    return state;
  };

  /** What the command itself cannot read is a file that cannot be used (5); what a daemon cannot read has it fail (1). */
  const cases: readonly [string, string, number][] = [
    ['accounts/accounts.json', 'a FIFO', 5],
    ['accounts/accounts.json', 'a socket', 5],
    ['access-settings.json', 'a FIFO', 1],
    ['account-certificates.json', 'a device', 1],
    ['configuration.json', 'a directory', 5],
    ['run/dbus.conf', 'a directory', 5],
    ['run/dbus-daemon.pid', 'a directory', 5],
    ['run/redfish.pid', 'a directory', 1],
    ['run', 'a FIFO', 1],
  ];
  for (const [name, thing, expected] of cases) {
    it(`ends with a sentence that names it: ${name}, ${thing}`, async () => {
      const state = stateWith(name, things[thing] ?? (() => undefined));
      const { status, lines } = await runUp(['--state-dir', state, '--https-port', '0']);
      assert.equal(status, expected, lines.join('\n'));
      assert.ok(lines.at(-1)?.includes(join(state, name)), lines.join('\n'));
      assert.match(lines.at(-1) ?? '', new RegExp(`is ${thing}\\b`));
      assert.equal(processesWith(state).size, 0, 'no process is left');
    });
  }

  for (const option of ['--password-file', '--config']) {
    for (const thing of ['a FIFO', 'a device']) {
      it(`says the same of ${thing} for ${option}`, async () => {
        const state = stateWith('given', things[thing] ?? (() => undefined));
        const given = join(state, 'given');
        const { status, lines } = await runUp(['--state-dir', state, option, given]);
        assert.equal(status, option === '--config' ? 5 : 1);
        assert.match(
          lines.at(-1) ?? '',
          new RegExp(`${given} cannot be read: it is ${thing} and no regular file[.;]`),
        );
      });
    }
  }

  it('says the same of the file for set-password', async () => {
    const state = stateWith('given', things['a FIFO'] ?? (() => undefined));
    const configuration = join(state, 'manager.json');
    writeFileSync(configuration, JSON.stringify({ redfish: { directory: state } }));
    const args = ['set-password', '--config', configuration, '--password-file'];
    const program = join(clone, 'dist', 'bmc-certs.js');
    const { status, stderr } = await run(process.execPath, [
      program,
      ...args,
      join(state, 'given'),
    ]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /given cannot be read: it is a FIFO and no regular file; give --password-file - /,
    );
  });

  it('writes nothing through a link in run', async () => {
    const names = ['dbus.conf', 'dbus-daemon.pid', 'redfish.pid', 'stack.pid'];
    const victim = (name: string) => join(directory, `victim-${name}`);
    const state = stateWith('run', (path) => {
      mkdirSync(path, { mode: 0o700 });
      for (const name of names) {
        writeFileSync(victim(name), 'of somebody else');
        symlinkSync(victim(name), join(path, name));
      }
    });
    const stack = await startUp(['--state-dir', state]);
    stack.kill('SIGTERM');
    assert.equal(await stack.ended, 0);
    for (const name of names) assert.equal(readFileSync(victim(name), 'utf8'), 'of somebody else');
  });

  it('is not kept from starting by the pid of another process in an old file', async () => {
    const state = stateWith('run', (path) => mkdirSync(path, { mode: 0o700 }));
    // Of a process whose command line looks like that of a stack
    const other = spawn('sh', ['-c', 'sleep 1000; : bmc-certs start.mjs'], { detached: true });
    try {
      writeFileSync(join(state, 'run/stack.pid'), `${other.pid}`);
      const stack = await startUp(['--state-dir', state]);
      stack.kill('SIGTERM');
      assert.equal(await stack.ended, 0);
    } finally {
      process.kill(-(other.pid ?? 0), 'SIGKILL');
    }
  });
});
