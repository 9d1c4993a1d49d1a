import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { toOutputs, toScript } from '../../scripts/command-blocks.ts';
import { type Background, background, killProcesses, must, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { freePort } from '../fakes/free-port.ts';
import { stackDirectory } from '../fakes/stack-process.ts';
import { blocksOf } from './blocks.ts';

/** The commands of the page against `npm start`, with ports that are free. */
describe('docs/how-to/trust-bundle.md', () => {
  const directory = stackDirectory();
  const ports = new Map<string, number>();
  let stack: Background | undefined;

  before(async () => {
    for (const port of ['8443', '8080', '8444']) ports.set(port, await freePort());
  });
  after(async () => {
    await stack?.stop();
    // The page ends them itself, unless it fails before
    killProcesses(`${directory}/var/lab`);
  });

  const adapted = (text: string) =>
    text
      .replace(/\b(8443|8080|8444)\b/g, (port) => `${ports.get(port)}`)
      .replace(
        'npm start --',
        `cd ${clone} && npm start -- --https-port 8443 --state-dir ${directory}/var`,
      )
      .replace('--https-port 8443', `--https-port ${ports.get('8443')}`)
      .replace('--config var/', `--config ${directory}/var/`)
      .replaceAll('node dist/', `node ${clone}/dist/`);
  const blocks = () =>
    blocksOf('trust-bundle').map((block) => ({ ...block, text: adapted(block.text) }));
  const scriptOf = (chosen: ReturnType<typeof blocks>) => `cd ${directory}\n${toScript(chosen)}`;

  it('leads from nothing to a CA that is trusted nowhere any more', async () => {
    const all = blocks();
    const at = all.findIndex(({ heading }) => heading === 'Start it');
    await must('bash', ['-c', scriptOf(all.slice(0, at))]);
    const started = background('bash', ['-c', scriptOf(all.slice(at, at + 1))]);
    stack = started;
    await until(
      'the stack is ready, or has ended',
      () => /^ready url=/m.test(started.output()) || started.process.exitCode !== null,
      300_000,
    );
    assert.equal(started.process.exitCode, null, started.output());
    const rest = all.slice(at + 1);
    const password = /^ +password +(\S+)$/m.exec(started.output())?.[1] ?? '';
    const outputs = toOutputs(await must('bash', ['-c', scriptOf(rest)], `${password}\n`));
    const printed = (heading: string) =>
      outputs.filter((_, one) => rest[one]?.heading === heading).join('');
    assert.match(
      printed('Ask the server'),
      /Revision +1[\s\S]*(updated|unchanged)[\s\S]*Version number +1/,
    );
    assert.match(
      printed('Load a group'),
      /is being loaded[\s\S]*default-trusted-ca-certs +run time +loaded +1/,
    );
    assert.match(printed('Have a service trust it'), /let-in[\s\S]*client\.pem: OK/);
    assert.match(printed('Add a CA by hand'), /reader\.pem: OK/);
    const gone = printed('Take a CA out of the bundle');
    assert.match(gone, /Revision +2[\s\S]*updated/);
    assert.match(gone, /verification failed/);
    assert.match(gone, /CA.that.leaves.* bundle +absent/i);
    assert.match(gone, /"name":"[^"]*CA.added.by.hand[^"]*","source":"manual","state":"present"/i);
    const refused = printed('See an old bundle refused');
    assert.match(refused, /rollback: [\s\S]*Last failure +rollback: [\s\S]*unchanged/);
    const settings = printed('Settings');
    assert.match(settings, /interval is 48 \(run time\)[\s\S]*interval is 24 \(configuration\)/);
    assert.match(settings, /polling is off \(run time\)[\s\S]*State +deactivated/);
  });
});
