import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { must, until } from '../../e2e/commands.ts';
import { extent, figure } from '../extent.ts';
import { childrenOf } from '../soak/processes.ts';
import { type Device, startDevice } from './device.ts';

const rounds = extent({ quick: 1, long: 40 });

/** Not yet one that is still a copy of the manager: libuv holds that up until its child has its own program. */
function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('csr-worker');
  } catch {
    return false;
  }
}

describe('the worker of a request', () => {
  let device: Device;

  before(async () => {
    device = await startDevice({ limits: { requestSeconds: 10 } });
  });
  after(() => device?.stop());

  /** Asks for a request, and does something to the worker as soon as there is one. */
  const disturb = async (how: (pid: number) => unknown): Promise<string> => {
    const asked = device.request().then(
      (pem) => `made ${pem.length > 100}`,
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
    let pid: number | undefined;
    for (let tries = 0; pid === undefined && tries < 2000; tries += 1) {
      const children = [...childrenOf(device.manager.pid)].filter(([, state]) => state !== 'Z');
      pid = children.map(([one]) => one).find(isWorker);
      if (pid === undefined) await sleep(2);
    }
    assert.ok(pid !== undefined, 'there is a worker');
    await how(pid);
    return asked;
  };

  /** Whatever happened, it can be asked again, and nothing of the failure is left. */
  const goesOn = async () => {
    const before = device.requestFiles().length;
    assert.match(await device.request(), /BEGIN CERTIFICATE REQUEST/);
    assert.equal(device.requestFiles().length, before + 1);
    assert.deepEqual(
      device.requestFiles().filter((name) => name.startsWith('.')),
      [],
    );
    await until('no worker is left', () => childrenOf(device.manager.pid).size === 0);
  };

  it('that is killed costs that request alone', async () => {
    for (let round = 0; round < rounds; round += 1) {
      assert.equal(
        await disturb((pid) => process.kill(pid, 'SIGKILL')),
        'request-failed: the request could not be made: its process ended with SIGKILL',
      );
    }
    await goesOn();
    figure('system-faults', 'workers killed', rounds);
  });

  it('that hangs is ended when its time is over', async () => {
    assert.equal(
      await disturb((pid) => process.kill(pid, 'SIGSTOP')),
      'request-timeout: the request was not made within 10 s',
    );
    await goesOn();
  });

  it('that gets no memory costs that request alone', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const outcome = await disturb(async (pid) => {
        process.kill(pid, 'SIGSTOP');
        await must('prlimit', ['--pid', `${pid}`, '--as=1000000:1000000']);
        process.kill(pid, 'SIGCONT');
      });
      assert.match(outcome, /^request-failed: the request could not be made: its process ended/);
    }
    await goesOn();
    figure('system-faults', 'workers without memory', rounds);
  });

  it('that cannot be started, for want of descriptors, is refused with a reason', async () => {
    const { pid } = device.manager;
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    let free = 0;
    while (open.has(free)) free += 1;
    const [, usual] =
      /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
    await must('prlimit', ['--pid', `${pid}`, `--nofile=${free}:`]);
    const outcomes: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      outcomes.push(await device.request().catch((error) => `${error.code}: ${error.message}`));
    }
    const onDisk = device.onDisk();
    const change = await device.replaceServer().catch((error) => `${error.code}`);
    await must('prlimit', ['--pid', `${pid}`, `--nofile=${usual}:`]);
    for (const outcome of outcomes) assert.match(outcome, /^(request-failed|storage): /);
    assert.ok(
      change === 'storage' ? device.onDisk() === onDisk : device.onDisk() === change,
      change,
    );
    await goesOn();
    await device.replaceServer();
  });

  it('is none of the things that stop a change', async () => {
    const hanging = disturb((pid) => process.kill(pid, 'SIGSTOP'));
    const fingerprint = await device.replaceServer();
    assert.equal(device.onDisk(), fingerprint);
    assert.match(await hanging, /^request-timeout/);
    await goesOn();
  });
});
