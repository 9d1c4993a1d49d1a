import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toOutputs, toScript } from '../../scripts/command-blocks.ts';
import {
  clone,
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';
import { blocksOf } from './blocks.ts';

/** The page runs in the clone, against the stack that it starts. */
describe('docs/how-to/netconf.md', () => {
  const state = temporaryDirectory();
  let stack: RunningStack;
  let place: string;

  before(async () => {
    const settings = join(state, 'netconf.json');
    writeFileSync(settings, '{"netconf": {"lenientInteractive": true}}');
    const options = ['--with', 'netconf', '--netconf-port', '0', '--config', settings];
    stack = await startStack(state, options);
    place = / netconf=127\.0\.0\.1:(\d+)$/m.exec(stack.output())?.[1] ?? '';
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(state);
  });

  it('leads to certificates that a client has read and changed', async () => {
    const blocks = blocksOf('netconf').filter(({ heading }) => heading !== 'On a device');
    const script = toScript(blocks)
      .replace('netconf=localhost:6513', `netconf=localhost:${place}`)
      .replace('state=$PWD/var', `state=${state}`);
    const shell = spawn('bash', ['-c', script], { cwd: clone });
    let printed = '';
    const collect = (chunk: Buffer) => {
      printed += chunk;
    };
    shell.stdout.on('data', collect);
    shell.stderr.on('data', collect);
    shell.stdin.end();
    const [ending] = await once(shell, 'close');
    const outputs = toOutputs(printed);
    assert.equal(ending, 0, outputs.slice(-2).join('\n'));
    const of = (heading: string) =>
      outputs.filter((_, at) => blocks[at]?.heading === heading).join('\n');
    assert.match(of('Start the service'), /State +no-certificate/);
    assert.match(of('2. Make a CA for clients, and a certificate for a client'), /Version: 1/);
    assert.match(of('4. Have the service show it'), /State +no-authorities/);
    assert.match(of('5. Load the root of the clients'), /State +ready/);
    assert.match(of('7. Say whose the certificate is'), /Outcome +let in[\s\S]*User +admin/);
    const typed = of('8. Type a session');
    assert.match(typed, /<!--[^>]*admin[^>]*-->[\s\S]*<hello[\s\S]*<ok\/>/);
    const program = of('9. Read and change certificates with a program');
    assert.match(program, /session \d+\nedit-config True[\s\S]*<name>servers<\/name>/);
    assert.match(program, /authority\/servers +1 .*Server root CA/);
    const list = of('When a client does not get in');
    for (const reason of [
      ...['no-certificate', 'self-signed', 'incomplete-chain', 'untrusted-issuer'],
      ...['no-client-identity', 'no-user-name'],
    ])
      assert.match(list, new RegExp(`1 +${reason} `));
  });
});
