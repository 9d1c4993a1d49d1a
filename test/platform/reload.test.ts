import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { makeReloader, type ReloadOptions, type Target } from '../../src/platform/reload.ts';
import { type Background, background, until } from '../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';

interface Entry {
  readonly level: string;
  readonly message: string;
  readonly reason: unknown;
}

describe('the reload of a service', () => {
  const directory = temporaryDirectory();
  let entries: Entry[];
  /** A retry of an earlier test writes what that test reads. */
  const logTo = (own: Entry[]) => {
    const note =
      (level: string) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
        own.push({ level, message, reason: fields.reason });
      };
    return { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  };
  const file = (name: string, text: string): Target => {
    const pidFile = join(directory, name);
    writeFileSync(pidFile, text);
    return { pidFile };
  };
  const limits = () => ({ attemptMilliseconds: 5000, attempts: 3, replyMilliseconds: 5000 });
  const reloader = (options: Partial<ReloadOptions> = {}) =>
    makeReloader({
      log: logTo(entries),
      limits,
      now: () => 1_000_000,
      reloadUnit: async () => 'reloaded',
      ...options,
    });
  const messages = () => entries.map(({ level, message }) => `${level} ${message}`);

  beforeEach(() => {
    entries = [];
  });
  after(() => removeDirectory(directory));

  describe('by a pid file', () => {
    it('sends SIGHUP to the process', async () => {
      const service = startService();
      try {
        await until('the service runs', () => service.output().includes('ready'));
        const target = file('real.pid', `${service.process.pid}\n`);
        await reloader().reload([target]);
        await until('the signal is there', () => service.output().includes('SIGHUP'));
        assert.deepEqual(messages(), ['info service reloaded']);
      } finally {
        await service.stop('SIGKILL');
      }
    });

    it('has nothing to do when there is no file', async () => {
      await reloader().reload([{ pidFile: join(directory, 'absent.pid') }]);
      assert.deepEqual(messages(), ['info service does not run']);
    });

    it('has nothing to do when the process has ended', async () => {
      const service = startService();
      await service.stop('SIGKILL');
      await reloader().reload([file('stale.pid', `${service.process.pid}`)]);
      assert.deepEqual(messages(), ['info service does not run']);
    });

    const bad = [
      'garbage',
      '',
      '\n',
      '0',
      '1',
      '-1',
      '-4711',
      '1.5',
      '12 13',
      '99999999999999999999',
    ];
    for (const text of bad) {
      it(`signals nobody for ${JSON.stringify(text)}, and tries again later`, async () => {
        await reloader().reload([file('bad.pid', text)]);
        assert.deepEqual(entries, [
          {
            level: 'warn',
            message: 'service could not be reloaded, trying again',
            reason: 'the file holds no process id',
          },
        ]);
      });
    }

    it('is tried again later when the file cannot be read', async () => {
      await reloader().reload([{ pidFile: directory }]);
      assert.deepEqual(messages(), ['warn service could not be reloaded, trying again']);
    });
  });

  describe('by a unit', () => {
    it('names the unit', async () => {
      const asked: string[] = [];
      await reloader({
        reloadUnit: async (unit) => {
          asked.push(unit);
          return 'reloaded';
        },
      }).reload([{ unit: 'one.service' }, { unit: 'two.service' }]);
      assert.deepEqual(asked, ['one.service', 'two.service']);
    });

    it('joins all requests that come while one runs into a single one more', async () => {
      const gates: (() => void)[] = [];
      const { reload: tell } = reloader({
        reloadUnit: () => new Promise((resolve) => gates.push(() => resolve('reloaded'))),
      });
      const targets = [{ unit: 'one.service' }];
      const running = tell(targets);
      await turn();
      const joined = Promise.all(Array.from({ length: 50 }, () => tell(targets)));
      await turn();
      assert.equal(gates.length, 1);
      gates[0]?.();
      await running;
      await until('the second one runs', () => gates.length === 2);
      gates[1]?.();
      await joined;
      assert.equal(gates.length, 2);
    });

    it('is not joined with that of another unit', async () => {
      const asked: string[] = [];
      const { reload: tell } = reloader({
        reloadUnit: async (unit) => {
          asked.push(unit);
          if (unit === 'slow.service') await new Promise(() => undefined);
          return 'reloaded';
        },
        limits: () => ({ ...limits(), attemptMilliseconds: 200 }),
      });
      const slow = tell([{ unit: 'slow.service' }]);
      await tell([{ unit: 'fast.service' }]);
      assert.deepEqual(asked, ['slow.service', 'fast.service']);
      await slow;
    });

    it('settles after its first attempt and never rejects', async () => {
      await reloader({ reloadUnit: () => Promise.reject(new Error('no such unit')) }).reload([
        { unit: 'one.service' },
      ]);
      assert.deepEqual(entries, [
        {
          level: 'warn',
          message: 'service could not be reloaded, trying again',
          reason: 'no such unit',
        },
      ]);
    });

    it('does not wait longer than an attempt may take', async () => {
      const { reload: tell } = reloader({
        reloadUnit: () => new Promise(() => undefined),
        limits: () => ({ ...limits(), attemptMilliseconds: 100 }),
      });
      await tell([{ unit: 'hanging.service' }]);
      assert.deepEqual(
        entries.map(({ reason }) => reason),
        ['no answer'],
      );
    });

    it('is left alone when it does not run, which is no failure', async () => {
      const { reload: tell, results } = reloader({ reloadUnit: async () => 'not-running' });
      const targets = [{ unit: 'one.service' }];
      await tell(targets);
      assert.deepEqual(messages(), ['info service does not run']);
      assert.equal(results(targets)[0]?.outcome, 'not-running');
    });

    it('is not waited for by the reply to a change, and its result is told when there is one', async () => {
      const gates: (() => void)[] = [];
      const services = reloader({
        limits: () => ({ ...limits(), attemptMilliseconds: 60_000, replyMilliseconds: 1 }),
        reloadUnit: () => new Promise((resolve) => gates.push(() => resolve('reloaded'))),
      });
      const told: string[] = [];
      services.subscribe((service, outcome) => told.push(`${service} ${outcome}`));
      const targets = [{ unit: 'one.service' }];
      await services.follow(targets);
      assert.equal(services.results(targets)[0]?.outcome, 'reloading');
      gates[0]?.();
      await until('it is told', () => told.length === 2);
      assert.deepEqual(told, ['one.service reloading', 'one.service reloaded']);
      assert.equal(services.results(targets)[0]?.outcome, 'reloaded');
    });

    it('is tried as often as allowed, with pauses that grow, and is then given up', async (test) => {
      test.mock.timers.enable({ apis: ['setTimeout'] });
      let attempts = 0;
      const { reload: tell } = reloader({
        limits: () => ({ ...limits(), attempts: 4 }),
        reloadUnit: async () => {
          attempts += 1;
          throw new Error('no such unit');
        },
      });
      await tell([{ unit: 'one.service' }]);
      for (const { least, max } of [
        { least: 899, max: 1101 },
        { least: 1799, max: 2201 },
        { least: 3599, max: 4401 },
      ]) {
        const before = attempts;
        test.mock.timers.tick(least);
        await turn();
        assert.equal(attempts, before);
        test.mock.timers.tick(max - least);
        await settled();
        assert.equal(attempts, before + 1);
      }
      test.mock.timers.tick(3_600_000);
      await settled();
      assert.equal(attempts, 4);
      assert.deepEqual(messages().slice(-1), ['error service could not be reloaded, giving up']);
    });

    it('never runs twice at once, also when a retry runs while it is asked for', async (test) => {
      test.mock.timers.enable({ apis: ['setTimeout'] });
      const gates: (() => void)[] = [];
      let attempts = 0;
      const { reload: tell } = reloader({
        reloadUnit: () => {
          attempts += 1;
          if (attempts === 1) return Promise.reject(new Error('not yet'));
          return new Promise((resolve) => gates.push(() => resolve('reloaded')));
        },
      });
      await tell([{ unit: 'one.service' }]);
      test.mock.timers.tick(1101);
      await settled();
      assert.equal(gates.length, 1, 'the retry runs');
      const asked = tell([{ unit: 'one.service' }]);
      await settled();
      assert.equal(gates.length, 1, 'nothing else runs');
      gates[0]?.();
      await settled();
      gates[1]?.();
      await asked;
      assert.equal(attempts, 3);
    });

    it('takes the place of a retry that still waits', async (test) => {
      test.mock.timers.enable({ apis: ['setTimeout'] });
      let attempts = 0;
      const { reload: tell } = reloader({
        reloadUnit: async () => {
          attempts += 1;
          if (attempts === 1) throw new Error('not yet');
          return 'reloaded';
        },
      });
      await tell([{ unit: 'one.service' }]);
      await tell([{ unit: 'one.service' }]);
      test.mock.timers.tick(3_600_000);
      await settled();
      assert.equal(attempts, 2);
    });
  });
});

async function settled(): Promise<void> {
  for (let count = 0; count < 10; count += 1) await turn();
}

function startService(): Background {
  const script = `
    process.on('SIGHUP', () => console.log('SIGHUP'));
    setInterval(() => undefined, 1000);
    console.log('ready');`;
  return background(process.execPath, ['-e', script]);
}
