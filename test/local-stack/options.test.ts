import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { CommandError } from '../../src/operator/framework/exit-status.ts';
import { parseStackOptions } from '../fakes/stack-options.ts';

const parse = (...args: string[]) => parseStackOptions(args, '/var/lib/default');

describe('the options of the local stack', () => {
  it('may all be left out', () => {
    assert.deepEqual(parse(), {
      stateDirectory: '/var/lib/default',
      port: undefined,
      host: undefined,
      passwordFile: undefined,
      configurationFile: undefined,
      bus: undefined,
      edges: [],
    });
  });

  it('may all be given', () => {
    const options = parse(
      ...['--state-dir', '/state', '--https-port', '8443', '--host', '::1', '--config=/c.json'],
      ...['--password-file', '/secret', '--bus', 'unix:path=/run/bus'],
    );
    assert.deepEqual(options, {
      stateDirectory: '/state',
      port: 8443,
      host: '::1',
      passwordFile: '/secret',
      configurationFile: '/c.json',
      bus: 'unix:path=/run/bus',
      edges: [],
    });
  });

  it('choose what runs beside the rest, with its port', () => {
    const of = (...args: string[]) => parse(...args).edges.map(({ name, port }) => [name, port]);
    assert.deepEqual(of('--with', 'gnoi'), [['gnoi', undefined]]);
    assert.deepEqual(of('--with=gnoi,gnoi', '--gnoi-port', '0'), [['gnoi', 0]]);
  });

  const unknown: [string[], RegExp][] = [
    [['--with', 'smtp'], /^--with: EDGES is .*gnoi.*, not "smtp"\.$/],
    [['--with', 'gnoi,'], /^--with: EDGES is .*gnoi.*, not ""\.$/],
    [['--gnoi-port', '1'], /^--gnoi-port is for --with gnoi\.$/],
  ];
  for (const [args, message] of unknown) {
    it(`refuse ${args.join(' ')}`, () => {
      assert.throws(() => parse(...args), { name: 'CommandError', message });
    });
  }

  it('begin a relative state directory where the stack is started', () => {
    assert.equal(parse('--state-dir', 'some/state').stateDirectory, resolve('some/state'));
  });

  for (const port of ['0', '1', '443', '65535']) {
    it(`take the port ${port}`, () => {
      assert.equal(parse('--https-port', port).port, Number(port));
    });
  }

  for (const port of ['65536', '99999999999', '80a', '', ' ', '1.5', '1e3', '0x50', '+80']) {
    it(`refuse the port "${port}"`, () => {
      assert.throws(() => parse('--https-port', port), {
        name: 'CommandError',
        message: `--https-port: PORT is a whole number from 0 to 65535, not "${port}".`,
      });
    });
  }

  const bad = [
    { args: ['--colour', 'red'], names: '--colour' },
    { args: ['--https-port'], names: '--https-port' },
    { args: ['--https-port', '-1'], names: '--https-port' },
    { args: ['--state-dir', '--host', 'x'], names: '--state-dir' },
    { args: ['now'], names: 'now' },
    { args: ['-p', '80'], names: '-p' },
  ];
  for (const { args, names } of bad) {
    it(`refuse "${args.join(' ')}" in one sentence`, () => {
      assert.throws(
        () => parse(...args),
        (error: unknown) => {
          assert.ok(error instanceof CommandError);
          assert.equal(error.kind, 'usage');
          assert.match(error.message, /; see bmc-certs up --help\.$/);
          assert.ok(error.message.includes(names), error.message);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }
});
