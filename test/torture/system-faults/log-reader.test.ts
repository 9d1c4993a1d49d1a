import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { must } from '../../e2e/commands.ts';
import { busCaller } from '../../fakes/bus-caller.ts';
import { names, paths } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { extent, figure } from '../extent.ts';
import { makeIssuer } from '../soak/certificates.ts';
import { footprintOf } from '../soak/processes.ts';

const script = fileURLToPath(new URL('../../../dist/certificate-manager.js', import.meta.url));
const changes = extent({ quick: 30, long: 2000 });

describe('a manager whose log nobody reads', () => {
  const issuer = makeIssuer();
  let bus: PrivateBus;

  before(async () => {
    bus = await startPrivateBus();
    writeFileSync(
      join(bus.directory, 'manager.json'),
      JSON.stringify({
        stateDirectory: bus.directory,
        runtimeDirectory: join(bus.directory, 'run'),
        bus: bus.address,
        endpoints: [{ type: 'server', name: 'https', path: 'https/server.pem', reload: [] }],
      }),
    );
  });
  after(() => bus?.stop());

  const start = async (log: number | 'pipe' = 'pipe') => {
    const child = fork(script, ['--config', join(bus.directory, 'manager.json')], {
      // As the units start it
      execArgv: ['--max-semi-space-size=1'],
      stdio: ['ignore', 'pipe', log, 'ipc'],
    });
    await once(child, 'message');
    return child;
  };
  const replace = async (count: number) => {
    const caller = await busCaller(bus.address, names.server);
    for (let at = 0; at < count; at += 1) {
      const { pem } = issuer.pair();
      const method = 'xyz.openbmc_project.Certs.Extension.Replace.Replace';
      const content = [Buffer.from(pem), 'PEM', ''];
      await caller.call(`${paths.server}/1`, method, 'ayss', ...content);
      assert.equal(readFileSync(join(bus.directory, 'https/server.pem'), 'utf8'), pem);
    }
    caller.leave();
  };

  it('goes on when the pipe is full, without keeping what is not read', async () => {
    const path = join(bus.directory, 'log');
    await must('mkfifo', [path]);
    const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    fill(pipe);
    const child = await start(pipe);
    await replace(changes / 2);
    const { own } = footprintOf(child.pid ?? 0);
    await replace(changes / 2);
    const grown = footprintOf(child.pid ?? 0).own - own;
    assert.ok(extent({ quick: true, long: false }) || grown < 25, `it grew by ${grown} MB`);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    closeSync(pipe);
    figure('system-faults', 'changes while nobody read the log', changes);
  });

  it('goes on when the reader is gone', async () => {
    const child = await start();
    child.stdout?.destroy();
    child.stderr?.destroy();
    await replace(10);
    child.kill('SIGHUP');
    await replace(10);
    assert.equal(child.exitCode, null);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('still ends with 1 when it cannot go on and nobody hears why', async () => {
    const child = await start();
    child.stderr?.destroy();
    // It may end before the bus is known to have ended
    const ended = once(child, 'exit');
    await bus.kill();
    assert.deepEqual(await ended, [1, null]);
    await bus.start();
  });
});

/** Writes until there is no room. */
function fill(pipe: number): void {
  const piece = Buffer.alloc(1024, '.');
  try {
    for (;;) writeSync(pipe, piece);
  } catch (error) {
    assert.match(String(error), /EAGAIN/);
  }
}
