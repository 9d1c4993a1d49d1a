import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { ExpiryWatch } from '../../../src/manager/expiry.ts';
import { startService, type TestService } from '../service.ts';
import { ManualClock } from './manual-clock.ts';

const https = { type: 'server', name: 'https' } as const;
const uri = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1';
const expiryThresholds = [60, 30, 14, 7, 1];
const day = 86_400_000;

/** A certificate that is valid from and until so many days after the clock's time, less an hour. */
interface Installed {
  readonly from: number;
  readonly until: number;
}

type Step = readonly [Installed | 'remove' | number, ...string[]];

/** A service whose manager, unless it is upstream's, tells of thresholds as ours does. */
class Scene {
  readonly clock: ManualClock;
  readonly service: TestService;
  readonly #watch = new ExpiryWatch(expiryThresholds);
  readonly #tellsThresholds: boolean;
  readonly #token: string;
  #seen = 0;

  constructor(clock: ManualClock, service: TestService, tellsThresholds: boolean) {
    this.clock = clock;
    this.service = service;
    this.#tellsThresholds = tellsThresholds;
    this.#token = service.sessions.create({ userName: 'admin', address: '' }).token;
  }

  /** @param step a certificate to install, or how many days go by or are set back */
  async take(step: Step[0]): Promise<readonly string[]> {
    const { client } = this.service;
    if (step === 'remove') await client.delete(https, '1');
    else if (typeof step === 'number') this.#pass(step * day);
    else client.put(https, '1', pemOf(step, this.clock.now()));
    const list = client.list(https).map(({ findings: _, ...one }) => one);
    for (const { installed, threshold } of this.#watch.look(list, this.clock.now())) {
      if (!this.#tellsThresholds || threshold === undefined) continue;
      client.tell({ kind: 'expiring', endpoint: https, days: threshold, ...installed });
    }
    return this.news();
  }

  #pass(milliseconds: number): void {
    if (milliseconds < 0) {
      this.clock.set(this.clock.now() + milliseconds - 5000);
      this.clock.advance(5000);
    } else {
      this.clock.advance(milliseconds);
    }
  }

  /** The messages since it was last asked, without what their keys have in common. */
  news(): readonly string[] {
    const events = this.service.events.after('');
    const fresh = events.filter(({ id }) => id > this.#seen);
    this.#seen = Math.max(this.#seen, ...events.map(({ id }) => id));
    return fresh
      .filter(({ origin }) => origin === uri)
      .map(({ messageId }) => messageId.replace(/^.*\.Resource(StatusChanged)?/, ''));
  }

  async health(): Promise<string> {
    const headers = { 'X-Auth-Token': this.#token };
    return JSON.parse((await this.service.ask('GET', uri, { headers, as: '' })).text).Status.Health;
  }
}

async function withScene(run: (scene: Scene) => Promise<void>, tellsThresholds = true) {
  const clock = new ManualClock();
  const events = { bufferedEvents: 100 };
  const service = await startService({ clock, events, expiryThresholds });
  try {
    await run(new Scene(clock, service, tellsThresholds));
  } finally {
    await service.close();
  }
}

function pemOf({ from, until }: Installed, now: number): string {
  return generateCertificate(
    { hostName: 'sample', addresses: [] },
    { validDays: until - from, renewBeforeDays: 1, curve: 'prime256v1', organization: 'Test' },
    now + from * day,
  ).leaf.pem;
}

const healthy = { from: 0, until: 100 };
const expired = { from: -20, until: -10 };

describe('events of the health of a certificate', () => {
  const stories: Readonly<Record<string, readonly Step[]>> = {
    'nothing more than its creation while it is healthy': [[healthy, 'Created'], [10]],
    'a warning with a certificate that ends soon': [[{ from: 0, until: 5 }, 'Created', 'Warning']],
    'no return to health when its successor ends soon too': [
      [{ from: 0, until: 5 }, 'Created', 'Warning'],
      [{ from: 0, until: 30 }, 'Changed'],
      [17, 'Warning'],
    ],
    'a warning when an expired one is replaced by one that is not valid yet': [
      [expired, 'Created', 'Critical'],
      [{ from: 2, until: 200 }, 'Changed', 'Warning'],
      [3, 'OK'],
    ],
    'a warning with one that is not valid yet, and the day when it is': [
      [{ from: 2, until: 200 }, 'Created', 'Warning'],
      [1],
      [1, 'OK'],
      [1],
    ],
    'one warning for each threshold that is passed, and the end': [
      [healthy, 'Created'],
      [40, 'Warning'],
      [1],
      [30, 'Warning'],
      // Two at once
      [23, 'Warning'],
      [5, 'Warning'],
      [1, 'Critical'],
      [10],
    ],
    'the return to health with a good successor': [
      [expired, 'Created', 'Critical'],
      [healthy, 'Changed', 'OK'],
      [{ from: 0, until: 3 }, 'Changed', 'Warning'],
      [healthy, 'Changed', 'OK'],
    ],
    'a warning in place of the end when its successor only ends soon': [
      [expired, 'Created', 'Critical'],
      [{ from: 0, until: 5 }, 'Changed', 'Warning'],
    ],
    'what a clock that was set back makes of it': [
      [healthy, 'Created'],
      [95, 'Warning'],
      [-95, 'OK'],
      [95, 'Warning'],
      [-40],
      [40, 'Warning'],
    ],
    'its health from the beginning when it is created again': [
      [expired, 'Created', 'Critical'],
      ['remove', 'Removed'],
      [expired, 'Created', 'Critical'],
    ],
  };
  for (const [what, steps] of Object.entries(stories)) {
    for (const tellsThresholds of [true, false]) {
      it(`tell ${what}${tellsThresholds ? '' : ', though its manager says nothing'}`, () =>
        withScene(async (scene) => {
          let told = 'OK';
          for (const [step, ...expected] of steps) {
            const news = await scene.take(step);
            assert.deepEqual(news, expected, `after ${JSON.stringify(step)}`);
            const isHealth = (one: string) => ['OK', 'Warning', 'Critical'].includes(one);
            if (news.includes('Created')) told = 'OK';
            told = news.findLast(isHealth) ?? told;
            if (step !== 'remove') assert.equal(await scene.health(), told);
          }
        }, tellsThresholds));
    }
  }

  it('come late rather than never while the manager is away or the service is disabled', () =>
    withScene(async (scene) => {
      const { client, events } = scene.service;
      assert.deepEqual(await scene.take(healthy), ['Created']);
      client.away = true;
      scene.clock.advance(50 * day);
      assert.deepEqual(scene.news(), []);
      client.away = false;
      await events.change({ enabled: false });
      assert.deepEqual(await scene.take(0), []);
      await events.change({ enabled: true });
      scene.clock.advance(5000);
      assert.deepEqual(scene.news(), ['Warning']);
    }));

  it('wait until the clock was set', () =>
    withScene(async (scene) => {
      const now = scene.clock.now();
      scene.clock.set(0);
      scene.service.client.put(https, '1', pemOf(healthy, now));
      assert.deepEqual(await scene.take(1), ['Created']);
      scene.clock.set(now);
      scene.clock.advance(5000);
      assert.deepEqual(scene.news(), []);
      scene.clock.advance(90 * day);
      assert.deepEqual(scene.news(), ['Warning']);
    }));

  it('say what to do about it', () =>
    withScene(async ({ service, clock }) => {
      for (const one of [{ from: 2, until: 200 }, { from: 0, until: 5 }, expired]) {
        service.client.put(https, '1', pemOf(one, clock.now()));
      }
      const statuses = service.events
        .after('')
        .filter(({ messageId }) => messageId.includes('StatusChanged'));
      assert.deepEqual(
        statuses.map(({ severity, resolution }) => [
          severity,
          /\w+ (yet|days|ended)/.exec(String(resolution))?.[0],
        ]),
        [
          ['Warning', 'valid yet'],
          ['Warning', '7 days'],
          ['Critical', 'has ended'],
        ],
      );
    }));
});

describe('events of the health of a certificate after a restart of the service', () => {
  async function restarted(scene: Scene, downDays: number): Promise<readonly string[]> {
    await scene.service.events.close();
    scene.clock.advance(downDays * day);
    const { directory, client } = scene.service;
    const events = { bufferedEvents: 100 };
    const options = { clock: scene.clock, events, expiryThresholds, directory, client };
    const next = await startService(options);
    try {
      const after = new Scene(scene.clock, next, true);
      // The manager was restarted too, and tells every threshold that lies behind
      return await after.take(0);
    } finally {
      await next.close();
    }
  }

  const rows: readonly (readonly [string, Installed, number, readonly string[]])[] = [
    ['tell nothing twice', { from: 0, until: 5 }, 0, []],
    ['tell nothing of what stayed expired', expired, 3, []],
    ['tell of a threshold that was passed meanwhile', { from: 0, until: 65 }, 40, ['Warning']],
    ['tell of an end that came meanwhile', { from: 0, until: 5 }, 5, ['Critical']],
    ['tell of a beginning that came meanwhile', { from: 1, until: 200 }, 2, ['OK']],
  ];
  for (const [what, installed, downDays, expected] of rows) {
    it(what, () =>
      withScene(async (scene) => {
        await scene.take(installed);
        assert.deepEqual(await restarted(scene, downDays), expected);
      }),
    );
  }

  it('begin with what is there when nothing was told before', async () => {
    const clock = new ManualClock();
    const first = await startService({ clock, expiryThresholds });
    const { client } = first;
    await first.close();
    client.put(https, '1', pemOf(expired, clock.now()));
    client.put(https, '2', pemOf({ from: 0, until: 65 }, clock.now()));
    const events = { bufferedEvents: 100 };
    const service = await startService({ clock, expiryThresholds, events, client });
    try {
      const messages = () => service.events.after('').map(({ messageId }) => messageId);
      assert.deepEqual(
        messages().filter((id) => id.includes('Status')),
        [],
      );
      clock.advance(10 * day);
      assert.deepEqual(
        messages().filter((id) => id.includes('Status')),
        ['ResourceEvent.1.3.ResourceStatusChangedWarning'],
      );
    } finally {
      await service.close();
    }
  });
});
