import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { background, until } from '../e2e/commands.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';

/** A program that serves until it is told to end; `hang` on its input keeps its event loop busy for good. */
const program = `
  import { makeLog } from ${quotedSource('core/log.ts')};
  import { tellServiceManager } from ${quotedSource('platform/service-manager.ts')};
  if (process.env.WATCHDOG_PID === 'own') process.env.WATCHDOG_PID = String(process.pid);
  tellServiceManager(makeLog('trial'));
  process.stdin.on('data', () => {
    console.log('hangs');
    while (true);
  });`;

describe('a service manager', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'service-manager-'));
    const script = '#!/bin/sh\necho "$NOTIFY_SOCKET $@" >> "$(dirname "$0")/told"\n';
    writeFileSync(join(directory, 'systemd-notify'), script, { mode: 0o755 });
  });
  after(() => rmSync(directory, { recursive: true }));

  const told = () => {
    const path = join(directory, 'told');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };
  const start = (environment: Readonly<Record<string, string>>) => {
    rmSync(join(directory, 'told'), { force: true });
    const given = Object.entries({ PATH: `${directory}:${process.env.PATH}`, ...environment });
    const settings = given.map(([name, value]) => `${name}=${value}`);
    return background('env', [...settings, ...typescriptProgram(program)]);
  };

  it('hears that the program serves, and from then on that its event loop turns, until that hangs', async () => {
    const watched = { WATCHDOG_USEC: '3000001', WATCHDOG_PID: 'own' };
    const running = start({ NOTIFY_SOCKET: '/run/notify', ...watched });
    await until('it is told often', async () => told().length > 3);
    assert.deepEqual([...new Set(told())], ['/run/notify READY=1 WATCHDOG=1']);
    running.process.stdin.write('hang\n');
    await until('it hangs', async () => running.output() === 'hangs\n');
    // What was begun before may still end
    let last = -1;
    await until('nothing is told any more', async () => {
      const before = last;
      last = told().length;
      await sleep(2000);
      return told().length === before;
    });
    assert.equal(running.process.exitCode, null);
    await running.stop('SIGKILL');
  });

  for (const [what, watchdog] of [
    ['its unit has no watchdog', {}],
    ['the watchdog is for another process', { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }],
  ] as const) {
    it(`hears once that the program serves where ${what}`, async () => {
      const running = start({ NOTIFY_SOCKET: '/run/notify', ...watchdog });
      // It has nothing to wait for but its input
      running.process.stdin.end();
      assert.equal(await running.stop('SIGCONT'), 0);
      assert.deepEqual(told(), ['/run/notify READY=1 WATCHDOG=1']);
    });
  }

  it('is not looked for where there is none', async () => {
    const running = start({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: 'own' });
    running.process.stdin.end();
    assert.equal(await running.stop('SIGCONT'), 0);
    assert.deepEqual(told(), []);
  });

  it('that cannot be told has the program log why, and go on', async () => {
    const running = start({ NOTIFY_SOCKET: '/run/notify', PATH: join(directory, 'nothing') });
    running.process.stdin.end();
    assert.equal(await running.stop('SIGCONT'), 0);
    assert.match(running.output(), /systemd was not told that the program runs reason=.*ENOENT/);
  });
});
