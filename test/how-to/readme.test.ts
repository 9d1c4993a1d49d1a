import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commandBlocks, toOutputs, toScript } from '../../scripts/command-blocks.ts';
import { walkThrough } from '../../scripts/record.ts';
import { until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import {
  type BareMachine,
  makeBareMachine,
  type RunningScript,
  whyNoBareMachine,
} from './bare-machine.ts';
import { documented } from './blocks.ts';

const page = readFileSync(join(clone, 'README.md'), 'utf8');
const quickStart = commandBlocks(page).filter(({ heading }) => heading === 'Quick start');
/** As long as npm and apt-get may take on a busy machine, in milliseconds. */
const maxInstallation = 480_000;

/** README.md and the walk-through on a machine that has Node and Git; test/device/package.test.ts runs what is for a device. */
describe('README.md', { skip: whyNoBareMachine() ?? false }, () => {
  let machine: BareMachine;
  let stack: RunningScript | undefined;

  before(() => {
    machine = makeBareMachine('https://git.example.com/bmc-certificate-manager');
  });
  after(async () => {
    stack?.process.kill('SIGKILL');
    await stack?.ended;
    machine?.remove();
  });

  it('has no command that a test cannot run', () => {
    assert.deepEqual(
      commandBlocks(page).filter(({ notRun }) => notRun !== undefined),
      [],
    );
  });

  it('names the packages that are missing to a user who may not install them', async () => {
    const start = machine.startAsNobody(toScript(quickStart));
    assert.equal(await start.ended, 1);
    assert.match(start.output(), /^Missing: dbus-daemon.*apt-get install dbus/m);
  });

  it('installs what the walk-through needs', async () => {
    const installation = machine.start(toScript(documented('walk-through', 'What it needs')));
    assert.equal(await installation.ended, 0, installation.output());
  });

  it('starts everything by two commands', async () => {
    const started = machine.start(toScript(quickStart));
    stack = started;
    let hasEnded = false;
    void started.ended.then(() => {
      hasEnded = true;
    });
    const isReady = () => hasEnded || /^ready url=/m.test(started.output());
    await until('npm start is ready', isReady, maxInstallation);
    assert.match(started.output(), /^ready url=https:\/\/127\.0\.0\.1:8443 user=admin /m);
  });

  it('leads through the life of a certificate, with the password that was printed', async () => {
    const printed = stack?.output() ?? '';
    const shown = (label: string) => new RegExp(`^ +${label} +(\\S+)$`, 'm').exec(printed)?.[1];
    const walk = machine.start(`cd bmc-certificate-manager\n${toScript(walkThrough())}`);
    walk.process.stdin?.end(`${shown('password')}\n`);
    const status = await walk.ended;
    const outputs = toOutputs(walk.output());
    assert.equal(status, 0, outputs.at(-1));
    const of = (heading: string) =>
      outputs[walkThrough().findIndex((block) => block.heading === heading)] ?? '';
    const fingerprint = (text: string) => /Fingerprint=([\dA-F:]+)/.exec(text)?.[1];
    assert.equal(
      fingerprint(of('See which certificate the service shows')),
      shown('certificate  SHA-256'),
    );
    assert.match(of('Sign it, and put it into service'), /"Health": "OK"/);
    const wire = of('Look at the wire');
    assert.match(wire, /Verification: OK/);
    assert.ok(of('Sign it, and put it into service').includes(fingerprint(wire) ?? 'none'));
    assert.match(of('Ask on D-Bus'), /State\.Valid"\nx (89|90)/);
    assert.match(of('Trust a CA, and remove it'), /"CN=CA for trying"/);
  });
});
