import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  day,
  hour,
  minute,
  pollPause,
  retryPause,
  stalenessOf,
  startPause,
} from '../../src/trust-bundle/schedule.ts';
import { BundleWorld, makeCa, makePublisher, type Publisher } from './bundle-world.ts';

const [one = '', two = ''] = ['First CA', 'Second CA'].map(makeCa);

describe('the pauses between polls', () => {
  it('are an interval, and up to a tenth more or less', () => {
    assert.deepEqual(
      [0, 0.5, 1].map((random) => pollPause(24, 10, random) / hour),
      [21.6, 24, 26.4],
    );
  });

  it('double after failures from five minutes to the interval', () => {
    const minutes = [1, 2, 3, 4, 100].map((failures) => retryPause(failures, 1, 0.5) / minute);
    assert.deepEqual(minutes, [5, 10, 20, 40, 60]);
  });

  it('are none on a new device, short where a poll is overdue, and never beyond an interval', () => {
    const now = 100 * day;
    assert.equal(startPause(undefined, now, day, 0.5), 0);
    assert.equal(startPause(now - 1, now, day, 0.5), 5 * minute);
    assert.equal(startPause(now + hour, now, day, 0.5), hour);
    assert.equal(startPause(now + 9000 * day, now, day, 0.5), day);
  });
});

describe('the age of a bundle', () => {
  const limits = { warnAfterDays: 30, refuseAfterDays: 90 };
  const rows: readonly (readonly [string, number, number, string])[] = [
    ['confirmed today', 0, 5, 'fresh'],
    ['without a new manifest by its date', 0, -1, 'stale'],
    ['whose server is away for a month', 31, 5, 'stale'],
    ['that was confirmed three months ago', 91, 300, 'refused'],
    ['whose server repeats itself for three months', 0, -91, 'refused'],
  ];
  for (const [what, ago, ahead, expected] of rows) {
    it(`${what} makes it ${expected}`, () => {
      const now = 1000 * day;
      const confirmation = { lastSuccess: now - ago * day, nextUpdate: now + ahead * day };
      assert.equal(stalenessOf(confirmation, limits, now), expected);
    });
  }
});

describe('the polls of a bundle', () => {
  let publisher: Publisher;
  let world: BundleWorld;

  before(() => {
    publisher = makePublisher();
  });
  after(() => publisher.authority.remove());
  beforeEach(async () => {
    world = new BundleWorld(publisher);
    await world.listen();
    await world.publish([one]);
  });
  afterEach(() => world.remove());

  const polls = () => world.requests.filter((name) => name === 'manifest.json').length;
  const polled = async (times: number) => {
    await world.until(({ state }) => polls() >= times && state !== 'checking');
    return world.settled();
  };

  it('come at once on a new device and once a day from then on', async () => {
    await world.start({ enabled: true });
    const first = await polled(1);
    assert.equal(first.nextPoll?.getTime(), world.clock.now() + day);
    await world.clock.pass(day - 1);
    assert.equal(polls(), 1);
    await world.clock.pass(1);
    await polled(2);
    assert.equal(world.bundle.status().downloads[0]?.trigger, 'timer');
  });

  it('come after pauses that double while the server fails', async () => {
    world.answers.set('manifest.json', (_request, response) => void response.writeHead(503).end());
    await world.start({ enabled: true });
    for (const [at, pause] of [5, 10, 20].entries()) {
      const { nextPoll, state } = await polled(at + 1);
      assert.equal(state, 'error');
      assert.equal((nextPoll?.getTime() ?? 0) - world.clock.now(), pause * minute);
      await world.clock.pass(pause * minute);
    }
    await polled(4);
    world.answers.clear();
    await world.clock.pass(40 * minute);
    const { nextPoll } = await world.until(({ state }) => state === 'idle');
    assert.equal((nextPoll?.getTime() ?? 0) - world.clock.now(), day);
  });

  it('keep their time over a restart', async () => {
    await world.start({ enabled: true });
    await polled(1);
    await world.clock.pass(10 * hour);
    await world.stop();
    await world.start({ enabled: true });
    assert.equal(world.bundle.status().nextPoll?.getTime(), world.clock.now() + 14 * hour);
    assert.equal(polls(), 1);
  });

  it('are no more and no fewer when the clock is set', async () => {
    await world.start({ enabled: true });
    await polled(1);
    world.clock.setTo(world.clock.now() + 400 * day);
    await world.clock.pass(hour);
    world.clock.setTo(1000);
    await world.clock.pass(22 * hour);
    assert.equal(polls(), 1);
    await world.clock.pass(hour);
    await polled(2);
  });

  it('come in another interval as soon as that is set, and in that of the configuration after a reset', async () => {
    await world.start({ enabled: true, jitterPercent: 0 });
    await polled(1);
    const { bundle } = world;
    await bundle.set('intervalHours', 48);
    const { settings, nextPoll } = bundle.status();
    assert.deepEqual(settings.intervalHours, { value: 48, origin: 'run time' });
    assert.equal(nextPoll?.getTime(), world.clock.now() + 48 * hour);
    await world.stop();
    await world.start({ enabled: true, jitterPercent: 0 });
    assert.equal(world.bundle.status().settings.intervalHours.value, 48);
    await world.bundle.reset('intervalHours');
    assert.deepEqual(world.bundle.status().settings.intervalHours, {
      ...{ value: 24, origin: 'configuration' },
    });
  });

  it('end when the bundle is deactivated, while a download by hand goes on to work', async () => {
    await world.start({ enabled: true });
    await polled(1);
    await world.bundle.set('enabled', false);
    const { state, nextPoll, warnings } = await world.settled();
    assert.deepEqual([state, nextPoll], ['deactivated', undefined]);
    assert.match(warnings.join(' '), /Automatic download is deactivated/);
    await world.clock.pass(100 * day);
    assert.equal(polls(), 1);
    await world.publish([one, two]);
    await world.bundle.download();
    assert.equal((await world.settled()).version?.revision, 2);
  });

  it('are one for all who ask at the same time', async () => {
    await world.start();
    const records = await Promise.all([world.bundle.download(), world.bundle.download()]);
    assert.deepEqual(records[0], records[1]);
    assert.equal(polls(), 1);
  });

  it('of another URL come at once, and what the old one sends is discarded', async () => {
    let go = () => undefined as unknown;
    const asked = new Promise<void>((resolve) => {
      world.answers.set('default-trusted-ca-certs', (_request, response) => {
        go = () => response.end(one);
        resolve();
      });
    });
    await world.start({ enabled: true });
    await asked;
    const running = world.bundle.download();
    running.catch(() => undefined);
    world.answers.clear();
    await world.bundle.set('url', `${world.url}/`);
    await assert.rejects(running, { code: 'superseded' });
    go();
    const { version, settings } = await world.until(({ version }) => version !== undefined);
    assert.equal(version?.revision, 1);
    assert.equal(settings.url.value, `${world.url}/`);
    assert.equal(polls(), 2);
  });

  it('are refused settings that cannot be', async () => {
    const bundle = await world.start();
    const refused = { code: 'setting' };
    await assert.rejects(bundle.set('intervalHours', 0), refused);
    await assert.rejects(bundle.set('intervalHours', 8761), refused);
    await assert.rejects(bundle.set('url', 'file:///etc/passwd'), refused);
    await assert.rejects(bundle.set('url', 'http://user:secret@host/'), (error: Error) => {
      assert.match(error.message, /user name or password/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(bundle.set('routingInstance', 'netns:blue'), /addr:IP/);
    await assert.rejects(bundle.set('routingInstance', 'addr:192.0.2.1'), {
      code: 'routing-instance',
    });
    assert.equal(bundle.status().settings.url.origin, 'configuration');
    await bundle.set('routingInstance', 'addr:127.0.0.5');
    await bundle.download();
  });
});
