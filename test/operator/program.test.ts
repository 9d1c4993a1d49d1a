import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import { run } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { scratchDirectory } from '../storage/scratch.ts';

const directory = scratchDirectory();
const tools = opensslAuthority();
after(() => tools.remove());
const version = `bmc-certs ${packageJson.version}\n`;
const program = join(clone, 'dist', 'bmc-certs.js');

describe('bmc-certs', () => {
  it('runs through a link in the PATH', async () => {
    const place = directory();
    symlinkSync(program, join(place, 'bmc-certs'));
    const path = `PATH=${place}:${process.env.PATH}`;
    const { stdout, stderr } = await run('/usr/bin/env', [path, 'bmc-certs', '--version']);
    assert.equal(stdout, version, stderr);
  });

  it('runs by npx in the clone', async () => {
    const { stdout, stderr } = await run('npm', [
      '--prefix',
      clone,
      'exec',
      '--offline',
      '--',
      'bmc-certs',
      '--version',
    ]);
    assert.equal(stdout, version, stderr);
  });

  it('ends in silence when its reader has seen enough', async () => {
    const line = `node ${program} --help | head -n 1`;
    const { stdout, stderr } = await run('bash', ['-c', line]);
    assert.match(stdout, /^Usage: bmc-certs COMMAND/);
    assert.equal(stderr, '');
  });

  it('fails when its output cannot be written, for a file of it is not what was asked for', async () => {
    const line = `node ${program} --help > /dev/full`;
    const { status, stderr } = await run('bash', ['-c', line]);
    assert.match(
      stderr,
      /^The output cannot be written: ENOSPC: no space left on device, write\.\n$/,
    );
    assert.equal(status, 1);
  });

  it('has colours on a terminal, and none with NO_COLOR, TERM=dumb or in a pipe', async () => {
    const file = tools.issue().path;
    const shown = `${process.execPath} ${program} show ${file}`;
    const inTerminal = async (variables: string) =>
      (await run('script', ['-qec', `env -u NO_COLOR ${variables} ${shown}`, '/dev/null'])).stdout;
    const bold = '\u001b[1mKind';
    assert.ok((await inTerminal('TERM=xterm')).includes(bold));
    for (const variables of ['TERM=xterm NO_COLOR=1', 'TERM=dumb'])
      assert.ok(!(await inTerminal(variables)).includes('\u001b['), variables);
    assert.match((await run('bash', ['-c', shown])).stdout, /^Kind +certificate\n/);
  });
});
