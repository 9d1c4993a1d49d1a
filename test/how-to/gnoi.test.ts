import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
describe('docs/how-to/gnoi.md', () => {
  const state = temporaryDirectory();
  let stack: RunningStack;
  let place: string;

  before(async () => {
    stack = await startStack(state, ['--with', 'gnoi', '--gnoi-port', '0']);
    place = / gnoi=127\.0\.0\.1:(\d+)$/m.exec(stack.output())?.[1] ?? '';
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(state);
  });

  it('leads to a rotated certificate that the service shows', async () => {
    const blocks = blocksOf('gnoi');
    const script = toScript(blocks)
      .replace('gnoi=localhost:32767', `gnoi=localhost:${place}`)
      .replace('state=$PWD/var', `state=${state}`);
    const shell = spawn('bash', ['-c', script], { cwd: clone });
    let printed = '';
    const collect = (chunk: Buffer) => {
      printed += chunk;
    };
    shell.stdout.on('data', collect);
    shell.stderr.on('data', collect);
    shell.stdin.end(`${stack.password}\n`);
    const [ending] = await once(shell, 'close');
    const outputs = toOutputs(printed);
    assert.equal(ending, 0, outputs.at(-1));
    const of = (heading: string) =>
      outputs.filter((_, at) => blocks[at]?.heading === heading).join('\n');
    assert.match(of('Ask for a CSR'), /verify OK[\s\S]*CN = localhost/);
    assert.match(of('Sign it, and install it with the CA of the clients'), /"loadCertificate"/);
    assert.match(of('Have the service show it'), /"gnoi-server1"[\s\S]*"EP_DAEMON"[\s\S]*"gnoi"/);
    assert.match(of('Rotate'), /"loadCertificate"[\s\S]*On trial +gnoi-server1[\s\S]*"time"/);
    assert.match(of('Go back'), /gnoi-ca-bundle: removed/);
    assert.match(of('Revoke'), /"revokedCertificateId"[\s\S]*"gnoi-server1"/);
  });
});
