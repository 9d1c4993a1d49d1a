import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { toOutputs, toScript } from '../../scripts/command-blocks.ts';
import { type Background, background, must, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { bouncyCastleAuthority, type CmpProgram } from '../fakes/cmp-programs.ts';
import { freePort } from '../fakes/free-port.ts';
import { stackDirectory } from '../fakes/stack-process.ts';
import { blocksOf } from './blocks.ts';

/** The commands of the page against `npm start`, and a CA in the place of the reader's. */
describe('docs/how-to/cmp.md', () => {
  const directory = stackDirectory();
  let ca: CmpProgram;
  let port = 0;
  let stack: Background | undefined;

  before(async () => {
    ca = await bouncyCastleAuthority(3600);
    port = await freePort();
  });
  after(async () => {
    await stack?.stop();
    await ca?.stop();
  });

  /** What stands on the page for the reader's own, and for the clone that the reader is in. */
  const adapted = (text: string) =>
    text
      .replace(/^ca_url=.*$/m, `ca_url=http://127.0.0.1:${ca.port}/server`)
      .replace(/^ca_file=.*$/m, `ca_file=${ca.certificate}`)
      .replaceAll('8443', `${port}`)
      .replace(
        'npm start --',
        `cd ${clone} && npm start -- --https-port ${port} --state-dir ${directory}/var`,
      )
      .replace('--config cmp.json', `--config ${directory}/cmp.json`)
      .replaceAll('node dist/', `node ${clone}/dist/`);
  const blocks = () => blocksOf('cmp').map((block) => ({ ...block, text: adapted(block.text) }));
  const scriptOf = (chosen: ReturnType<typeof blocks>) => `cd ${directory}\n${toScript(chosen)}`;

  it('leads from nothing to a certificate that renews itself', async () => {
    const all = blocks();
    const at = all.findIndex(({ heading }) => heading === 'Start it');
    const password = readFileSync(ca.passwordFile, 'utf8');
    await must('bash', ['-c', scriptOf(all.slice(0, at))], password);
    const started = background('bash', ['-c', scriptOf(all.slice(at, at + 1))]);
    stack = started;
    await until('the stack is ready', () => /^ready url=/m.test(started.output()), 300_000);
    const rest = all.slice(at + 1);
    const names = `${all[0]?.text.replace(/^read.*\n|^printf.*\n/gm, '')}`;
    const outputs = toOutputs(await must('bash', ['-c', `${names}${scriptOf(rest)}`]));
    const printed = (heading: string) =>
      outputs.filter((_, one) => rest[one]?.heading === heading).join('');
    assert.match(
      printed('Get the first certificate'),
      /CN=ManagementCA[\s\S]*Received 'accepted'\./,
    );
    assert.match(printed('Get the first certificate'), /issuer=.*ManagementCA/);
    assert.match(printed('Get the first certificate'), /initialRegistration/);
    assert.match(printed('Let it renew itself'), /InUse/);
  });
});
