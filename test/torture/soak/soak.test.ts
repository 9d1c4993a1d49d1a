import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalIfThere, until } from '../../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/stack.ts';
import { processesWith, type StackProcess, startUp } from '../../fakes/stack-process.ts';
import { extent, figure } from '../extent.ts';
import {
  asRedfishTells,
  asTheBusTells,
  asTheDiskHolds,
  leftovers,
  objectionsOfOpenssl,
} from './agreement.ts';
import { type BusDoor, busDoor } from './bus-door.ts';
import { makeIssuer } from './certificates.ts';
import { eventFaults, eventsMissing } from './events.ts';
import { History } from './history.ts';
import { HttpsClient } from './https-client.ts';
import { type LoadShape, startLoad } from './load.ts';
import { Logins } from './logins.ts';
import { Outages } from './outages.ts';
import { childrenOf, type Footprint, footprintOf, pidOf } from './processes.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type Ask, asker } from './redfish-door.ts';
import { StreamReader } from './stream-reader.ts';
import { Tally } from './tally.ts';
import { InFlight, requestLimits, Truststore, uris, type World } from './world.ts';

/** Minutes of the long form: an hour, unless somebody has less time. */
const minutes = Number(process.env.SOAK_MINUTES ?? 60);
const calmMilliseconds = extent({ quick: 45_000, long: minutes * 45_000 });
const stormMilliseconds = extent({ quick: 0, long: minutes * 15_000 });
const size = { httpsClients: 50, busClients: 5, pause: extent({ quick: 2000, long: 400 }) };
const seed = Number(process.env.SOAK_SEED ?? 20_261_121);

/** MB by which the memory of a process may grow from one third of the calm to the next. */
const maxGrowth = 12;

const password = 'correct-horse-battery';
const configuration = {
  limits: { authorities: 1000, ...requestLimits },
  users: { limits: { queuedLogins: 100 } },
  redfish: {
    tasks: { patienceSeconds: 60 },
    limits: {
      ...{ connections: 400, addressPercent: 100, sessions: 200, sessionsPerUser: 200 },
      changesPerUser: 100,
    },
    events: {
      queuedEvents: 10_000,
      bufferedEvents: 1000,
      allowLoopback: true,
      subscriptions: 200,
      subscriptionsPerUser: 200,
    },
  },
};

describe('a stack under load', () => {
  const state = temporaryDirectory();
  const outages = new Outages();
  const tally = new Tally();
  const root = join(state, 'soak-root.pem');
  let stack: StackProcess;
  let shape: LoadShape;
  let world: World;
  let observer: HttpsClient;
  let ask: Ask;
  let door: BusDoor;
  let reader: StreamReader;
  let receiver: Receiver;
  let idle: Record<'manager' | 'service', Footprint>;

  const footprints = () => ({
    manager: footprintOf(pidOf(state, 'manager') ?? 0),
    service: footprintOf(pidOf(state, 'service') ?? 0),
  });

  before(async () => {
    writeFileSync(join(state, 'password'), `${password}\n`);
    writeFileSync(join(state, 'given.json'), JSON.stringify(configuration));
    stack = await startUp([
      ...['--state-dir', state, '--password-file', join(state, 'password')],
      ...['--config', join(state, 'given.json')],
    ]);
    const { url = '', bus = '' } = stack.ready;
    shape = { ...size, url, bus, password };
    let first: string | undefined;
    observer = new HttpsClient(url, (served) => {
      first ??= served;
    });
    await observer.ask('/redfish/v1');
    receiver = await startReceiver();
    world = makeWorld(tally, outages, first, receiver.brief);
    writeFileSync(root, world.issuer.root);
    const logins = new Logins(password);
    ask = asker(world, observer, logins);
    door = busDoor(world, bus);
    reader = new StreamReader(url, async () => {
      const login = await logins.get(observer);
      // A login of before the service was ended is worth nothing
      if (!login || login.began > outages.serviceEnded) return login?.token;
      await logins.forget(login);
      return undefined;
    });
    await reader.start();
    await subscribe();
    await door.list('https');
    idle = footprints();
  });
  after(async () => {
    await reader?.stop();
    observer?.close();
    door?.leave();
    receiver?.close();
    stack?.kill('SIGTERM');
    await stack?.ended;
    for (const pid of processesWith(state).keys()) signalIfThere(pid, 'SIGKILL');
    removeDirectory(state);
  });

  it('refuses nothing but what conflicts, and every read shows a state that there was', async () => {
    const samples: Sample[] = [];
    const load = startLoad(world, shape);
    const began = performance.now();
    let interruptions = 0;
    while (performance.now() - began < calmMilliseconds) {
      await sleep(Math.min(5000, calmMilliseconds / 3));
      samples.push({ at: performance.now() - began, ...footprints() });
      reader.interrupt();
      interruptions += 1;
    }
    const { total } = tally;
    await load.stop();
    const seconds = (performance.now() - began) / 1000;
    assert.deepEqual(tally.faults, []);
    assert.deepEqual(contradictions(world), []);
    for (const [kind, count] of tally.rows()) assert.ok(count > 0, kind);
    figure(
      'soak',
      'clients over HTTPS and on the bus',
      `${size.httpsClients} and ${size.busClients}`,
    );
    figure('soak', 'minutes of load without kills', (seconds / 60).toFixed(1));
    figure('soak', 'requests in the minutes without kills', total);
    figure('soak', 'requests per second', (total / seconds).toFixed(0));
    for (const [kind, count, median, worst] of tally.rows()) {
      const times = `${count}; ${median.toFixed(0)} ms; ${worst.toFixed(0)} ms`;
      figure('soak', `${kind}: count; median; worst`, times);
    }
    for (const [what, count] of tally.refusals()) figure('soak', `refused, ${what}`, count);
    figure('soak', 'times that the stream of events was broken off', interruptions);
    judgeGrowth(samples);
  });

  it('tells the reader of a stream every change once and in order', async () => {
    await until(
      'the last events are told',
      () => eventsMissing(reader.told, world).length === 0,
    ).catch(() => undefined);
    assert.deepEqual(eventsMissing(reader.told, world), []);
    assert.deepEqual(eventFaults(reader.told), []);
    assert.deepEqual(reader.faults, []);
    assert.equal(reader.exceeded, 0);
    assert.ok(reader.resumed > 0);
    figure('soak', 'events read', reader.told.length);
  });

  it('pushes the same to a subscriber', async () => {
    const told = reader.told.map(({ id }) => id);
    const last = told.at(-1);
    await until('the last is pushed', () => receiver.received.at(-1) === last).catch(
      () => undefined,
    );
    // A receiver who took long over an answer is told once more
    const received = receiver.received.filter((id, at, all) => id !== all[at - 1]);
    assert.deepEqual(received, told);
  });

  it('gives back the descriptors, and leaves no worker behind', async () => {
    await until('the descriptors are back', () => {
      const { manager, service } = footprints();
      const isBack =
        manager.descriptors <= idle.manager.descriptors + 1 &&
        service.descriptors <= idle.service.descriptors + 2;
      return isBack;
    });
    assert.deepEqual([...childrenOf(pidOf(state, 'manager') ?? 0)], []);
    const { manager, service } = footprints();
    figure('soak', 'descriptors of the manager, before and after', range(idle.manager, manager));
    figure('soak', 'descriptors of the service, before and after', range(idle.service, service));
  });

  it('answers 503 while a program is gone, is back by itself, and has lost nothing', async () => {
    const load = startLoad(world, shape);
    const began = performance.now();
    const kills = { manager: 0, service: 0, bus: 0 };
    let longest = 0;
    do {
      for (const program of ['manager', 'service', 'bus'] as const) {
        await sleep(extent({ quick: 400, long: 20_000 }));
        longest = Math.max(longest, await killAndWait(program));
        kills[program] += 1;
      }
    } while (performance.now() - began < stormMilliseconds);
    await sleep(extent({ quick: 400, long: 10_000 }));
    await load.stop();
    assert.deepEqual(tally.faults, []);
    assert.deepEqual(contradictions(world), []);
    assert.deepEqual(reader.faults, []);
    for (const [program, count] of Object.entries(kills))
      figure('soak', `kills: ${program}`, count);
    figure(
      'soak',
      'longest time until all programs were back after a kill',
      `${(longest / 1000).toFixed(1)} s`,
    );
  });

  it('has the same on disk, on the bus and in Redfish, and openssl objects to none of it', async () => {
    const onDisk = asTheDiskHolds(state);
    assert.deepEqual(await asTheBusTells(door), onDisk);
    assert.deepEqual(await asRedfishTells(ask), onDisk);
    let shown = '';
    const visitor = new HttpsClient(shape.url, (served) => {
      shown = served;
    });
    await visitor.ask('/redfish/v1');
    visitor.close();
    assert.deepEqual(onDisk.https, { 1: shown });
    assert.deepEqual(await objectionsOfOpenssl(state, root), []);
  });

  it('leaves no zombie, no file of an unfinished change, and a log without secrets', () => {
    for (const program of ['manager', 'service'] as const)
      assert.deepEqual([...childrenOf(pidOf(state, program) ?? 0)], []);
    assert.deepEqual(leftovers(state), []);
    const log = stack.output();
    assert.ok(!log.includes(password));
    assert.doesNotMatch(log, /BEGIN|X-Auth-Token/i);
    assert.ok(log.length / tally.total < 1000, `${log.length} bytes of log`);
    figure('soak', 'bytes of log for each request', (log.length / tally.total).toFixed(0));
  });

  async function subscribe(): Promise<void> {
    const body = { Destination: receiver.lasting, Protocol: 'Redfish', Context: 'lasting' };
    const path = '/redfish/v1/EventService/Subscriptions';
    const made = await ask(path, { method: 'POST', body });
    assert.equal(made === 'away' ? made : made.status, 201);
  }

  /** @returns milliseconds until everything answered again */
  async function killAndWait(program: 'manager' | 'service' | 'bus'): Promise<number> {
    const pid = pidOf(state, program);
    assert.ok(pid !== undefined, `${program} runs`);
    const back = outages.begin();
    const began = performance.now();
    process.kill(pid, 'SIGKILL');
    if (program === 'service') outages.serviceEnded = performance.now();
    await until(
      `everything is back after ${program} was killed`,
      async () => {
        const now = pidOf(state, program);
        if (now === undefined || now === pid) return false;
        const answers = await Promise.all(
          Object.values(uris).map((uri) => ask(uri).catch(() => 'away' as const)),
        );
        if (answers.some((one) => one === 'away' || one.status !== 200)) return false;
        return (await door.list('truststore').catch(() => undefined)) !== undefined;
      },
      60_000,
    );
    if (program === 'service') outages.serviceEnded = Math.max(outages.serviceEnded, began);
    back();
    return performance.now() - began;
  }
});

interface Sample extends Record<'manager' | 'service', Footprint> {
  readonly at: number;
}

function judgeGrowth(samples: readonly Sample[]): void {
  const settled = samples.slice(Math.floor(samples.length / 3));
  const middle = settled.slice(0, settled.length / 2);
  const late = settled.slice(settled.length / 2);
  for (const program of ['manager', 'service'] as const) {
    const at = (list: readonly Sample[], place: number) => list.at(place)?.[program];
    const [first, last] = [at(settled, 0), at(settled, -1)];
    if (!first || !last) continue;
    // What is there most of the time: garbage comes and goes
    const median = (list: readonly Sample[], of: (one: Footprint) => number) =>
      list
        .map((one) => of(one[program]))
        .sort((a, b) => a - b)
        .at(Math.floor(list.length / 2)) ?? 0;
    const growth = (of: (one: Footprint) => number) => median(late, of) - median(middle, of);
    const own = growth((one) => one.own);
    const descriptors = growth((one) => one.descriptors);
    const begin = `${first.resident.toFixed(0)} and ${first.own.toFixed(0)} MB`;
    const end = `${last.resident.toFixed(0)} and ${last.own.toFixed(0)} MB`;
    figure('soak', `${program}: resident and own memory after a third`, begin);
    figure('soak', `${program}: resident and own memory at the end`, end);
    figure(
      'soak',
      `${program}: median of own memory, last third less the one before`,
      `${own.toFixed(1)} MB`,
    );
    figure(
      'soak',
      `${program}: median of descriptors, last third less the one before`,
      descriptors,
    );
    if (extent({ quick: true, long: false })) continue;
    assert.ok(own < maxGrowth, `${program} grew by ${own} MB`);
    assert.ok(descriptors < 8, `${program} grew by ${descriptors} descriptors`);
  }
}

function makeWorld(
  tally: Tally,
  outages: Outages,
  first: string | undefined,
  receiver: string,
): World {
  return {
    ...{ tally, outages, receiver, issuer: makeIssuer(), random: pseudoRandom(seed) },
    https: new History('https', first),
    ldap: new History('ldap', undefined),
    truststore: new Truststore(),
    csr: { https: new InFlight(), ldap: new InFlight() },
  };
}

function contradictions({ https, ldap, truststore }: World): readonly string[] {
  return [...https.contradictions(), ...ldap.contradictions(), ...truststore.contradictions()];
}

function range(before: Footprint, after: Footprint): string {
  return `${before.descriptors} and ${after.descriptors}`;
}

/** The same requests in the same order for the same seed, however they interleave (mulberry32). */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
