import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../e2e/commands.ts';
import { clone, removeDirectory, temporaryDirectory } from '../e2e/stack.ts';
import { processesWith, runUp, type StackOutcome, startUp } from '../fakes/stack-process.ts';

describe('a local stack that cannot start', () => {
  const directory = temporaryDirectory();
  let taken: Server;
  let count = 0;

  before(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    taken?.close();
    removeDirectory(directory);
  });

  const write = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const newState = () => {
    count += 1;
    return join(directory, `state${count}`);
  };
  const failsWith = (
    { status, stdout, lines }: StackOutcome,
    sentence: RegExp,
    state: string,
    expected = 1,
  ) => {
    assert.equal(status, expected);
    assert.equal(stdout, '', 'no ready line');
    assert.match(lines.at(-1) ?? '', sentence, lines.join('\n'));
    assert.doesNotMatch(lines.join('\n'), /^\s+at |node:internal/m);
    assert.equal(processesWith(state).size, 0, 'no process is left');
  };

  const tls = { type: 'server', name: 'https', path: 'https/server.pem' };
  const failures: readonly {
    why: string;
    args: () => string[];
    sentence: RegExp;
    status?: number;
  }[] = [
    {
      why: 'the port is taken',
      args: () => ['--https-port', String((taken.address() as AddressInfo).port)],
      sentence:
        /^The port \d+ on 127\.0\.0\.1 is taken; set another as redfish\.port, or with npm start use --https-port 0 for a free one\.$/,
    },
    {
      why: 'the host is none of this machine',
      args: () => ['--https-port', '0', '--host', '192.0.2.1'],
      sentence: /^The port 0 on 192\.0\.2\.1 cannot be used \(EADDRNOTAVAIL\)\.$/,
    },
    {
      why: 'the port is no port',
      args: () => ['--https-port', 'https'],
      sentence: /^--https-port: PORT is a whole number from 0 to 65535, not "https"\.$/,
      status: 2,
    },
    {
      why: 'an option is unknown',
      args: () => ['--colour', 'red'],
      sentence: /^The command line is not valid: Unknown option '--colour'/,
      status: 2,
    },
    {
      why: 'the configuration has a bad member',
      args: () => ['--config', write('bad.json', '{"limits": {"authorities": "ten"}}')],
      sentence: /^The configuration \/.*bad\.json is not valid: \/limits\/authorities .*\.$/,
    },
    {
      why: 'the configuration has two bad members',
      args: () => ['--config', write('worse.json', '{"colour": 1, "redfish": {"port": -1}}')],
      sentence:
        /worse\.json is not valid: \/colour \(line 1, column 2\) is not known; \/redfish\/port .*\.$/,
    },
    {
      why: 'the configuration is not JSON',
      args: () => ['--config', write('broken.json', '{\n')],
      sentence:
        /broken\.json is not JSON from line 2, column 1 on: there must be a name in double quotes\.$/,
    },
    {
      why: 'the configuration is not there',
      args: () => ['--config', '/nowhere/bmc.json'],
      sentence: /^The configuration \/nowhere\/bmc\.json cannot be read: there is no such file\.$/,
      status: 3,
    },
    {
      why: 'the configuration has no endpoint for the Redfish service',
      args: () => {
        const document = { endpoints: [{ ...tls, name: 'gnmi' }] };
        return ['--https-port', '0', '--config', write('none.json', JSON.stringify(document))];
      },
      sentence: /\/redfish\/endpoint .* is https, which is no server endpoint\.$/,
    },
    {
      why: 'a group of the configuration does not exist',
      args: () => {
        const document = { endpoints: [{ ...tls, group: 'no-such-group' }] };
        return ['--https-port', '0', '--config', write('group.json', JSON.stringify(document))];
      },
      sentence:
        /\/endpoints\/0\/group \(line \d+, column 7\) names the group no-such-group, which does not exist\.$/,
    },
    {
      why: 'the password file is not there',
      args: () => ['--password-file', '/nowhere/password'],
      sentence: /^The password file \/nowhere\/password cannot be read: there is no such file\.$/,
      status: 3,
    },
    {
      why: 'the password file is empty',
      args: () => ['--password-file', write('empty', '')],
      sentence: /^The password file \/.*empty is empty\.$/,
    },
    {
      why: 'the bus that it shall use is not there',
      args: () => ['--https-port', '0', '--bus', 'unix:path=/nowhere/bus'],
      sentence: /D-Bus cannot be reached/,
    },
  ];
  for (const { why, args, sentence, status = 1 } of failures) {
    it(`because ${why} says so in its last line and ends with status ${status}`, async () => {
      const state = newState();
      failsWith(await runUp(['--state-dir', state, ...args()]), sentence, state, status);
    });
  }

  it('because dbus-daemon is missing says how to install it', async () => {
    const state = newState();
    const outcome = await runUp(['--state-dir', state], [`PATH=${directory}`]);
    failsWith(outcome, /^The program dbus-daemon is missing; .*apt-get install dbus/, state);
  });

  it('because dbus-daemon fails says what that said', async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'dbus-daemon'),
      '#!/bin/sh\necho "no file descriptors left" >&2\nexit 1\n',
    );
    chmodSync(join(bin, 'dbus-daemon'), 0o755);
    const state = newState();
    const outcome = await runUp(['--state-dir', state], [`PATH=${bin}`]);
    failsWith(outcome, /^dbus-daemon: no file descriptors left/, state);
  });

  const places = [
    {
      why: 'too long for a socket',
      state: () => join(directory, 'x'.repeat(90)),
      sentence: /^The path \/.* is too long for a socket; choose a shorter --state-dir\.$/,
    },
    {
      why: 'a file',
      state: () => write('file', ''),
      sentence:
        /^The state directory \/.*file is a regular file; name a directory, or remove it\.$/,
    },
    {
      why: 'below a file',
      state: () => join(write('file', ''), 'x'),
      sentence:
        /^The state directory \/.*\/x cannot be made: a part of its path is no directory\.$/,
    },
    {
      why: 'one that a D-Bus address cannot have',
      state: () => join(directory, 'a,b'),
      sentence: /has characters that a D-Bus address cannot have\.$/,
    },
  ];
  for (const { why, state, sentence } of places) {
    it(`because its state directory is ${why} says so`, async () => {
      const path = state();
      failsWith(await runUp(['--state-dir', path]), sentence, path);
    });
  }

  it('because another one has the state directory says which process, and leaves it alone', async () => {
    const state = newState();
    const first = await startUp(['--state-dir', state]);
    try {
      const { status, lines } = await runUp(['--state-dir', state, '--https-port', '0']);
      assert.equal(status, 1);
      assert.equal(
        lines.at(-1),
        `A stack with this state directory runs already, as process ${first.pid}.`,
      );
      assert.equal((await run('curl', ['-skf', `${first.ready.url}/redfish/v1`])).status, 0);
    } finally {
      first.kill('SIGTERM');
      assert.equal(await first.ended, 0);
    }
  });

  it('says the same when npm start runs it', async () => {
    const state = newState();
    const args = ['--silent', 'start', '--', '--state-dir', state, '--https-port', '70000'];
    const { status, stdout, stderr } = await run('npm', ['--prefix', clone, ...args]);
    const lines = stderr.trimEnd().split('\n');
    const sentence = /^--https-port: PORT is a whole number from 0 to 65535, not "70000"\.$/;
    failsWith({ status, stdout, lines }, sentence, state, 2);
  });
});
