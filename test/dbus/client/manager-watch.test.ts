import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it, mock } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { busName, rootPath } from '../../../src/dbus/certs/endpoint-names.ts';
import { ManagerWatch } from '../../../src/dbus/client/manager-watch.ts';
import { type Bus, connectBus, type OutgoingCall } from '../../../src/dbus/transport/bus.ts';
import { busDaemon } from '../../../src/dbus/transport/bus-driver.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { interfacesOf, makeSample, startScriptedManager } from '../../fakes/scripted-manager.ts';

const endpoint = { type: 'server', name: 'https' } as const;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const [one, other, third] = ['one', 'other', 'third'].map(makeSample);
assert.ok(one && other && third);

describe('a watch over managers', () => {
  let bus: PrivateBus;
  let probe: Bus;
  const opened: { close(): void }[] = [];

  before(async () => {
    bus = await startPrivateBus();
    probe = await connectBus(bus.address);
  });
  afterEach(async () => {
    mock.restoreAll();
    for (const open of opened.splice(0)) open.close();
    await until('the name is free', async () => !(await ownerOf(probe)));
  });
  after(async () => {
    probe?.close();
    await bus?.stop();
  });

  const manager = async (
    certificates: Readonly<Record<string, readonly string[]>>,
    answer?: Parameters<typeof startScriptedManager>[3],
  ) => {
    const started = await startScriptedManager(bus.address, endpoint, certificates, answer);
    opened.push(started.bus);
    return started;
  };

  /** @param events gets what is told, with whether the copy has it then */
  const watch = async (events: string[] = []) => {
    const watching = new ManagerWatch(bus.address, log);
    opened.push(watching);
    watching.subscribe(({ kind, id }) => {
      const there = watching.has(endpoint) && watching.copyOf(endpoint).get(id) !== undefined;
      events.push(`${kind} ${id}${there ? '' : ' (not there)'}`);
    });
    await watching.start();
    return watching;
  };

  /** Lets a test come between the watch and the bus. */
  const intercept = (
    change: (
      call: OutgoingCall,
      real: () => Promise<readonly unknown[]>,
    ) => Promise<readonly unknown[]>,
  ) => {
    const prototype = Object.getPrototypeOf(probe) as Bus;
    const real = prototype.call;
    mock.method(prototype, 'call', function (this: Bus, call: OutgoingCall) {
      return change(call, () => real.call(this, call));
    });
  };

  const pem = (watching: ManagerWatch) => watching.copyOf(endpoint).get('1')?.certificate.pem;

  it('follows a manager whose end was the first that it heard of it', async () => {
    const first = await manager({ 1: [one] });
    let asked = false;
    intercept(async (call, real) => {
      if (call.member !== 'GetNameOwner' || asked) return real();
      asked = true;
      first.bus.close();
      await until('it has ended', async () => !(await ownerOf(probe)));
      return real();
    });
    const watching = await watch();
    assert.equal(asked, true);
    const second = await manager({ 1: [one] });
    await until('it is found', () => watching.has(endpoint));
    second.certificates.set('1', [other]);
    second.changed('1');
    await until('the change is seen', () => pem(watching) === other);
  });

  it('asks again for the signals of a manager when the bus refused them', async () => {
    let refused = 0;
    intercept(async (call, real) => {
      if (call.body?.[0] !== `type='signal',sender='${busName(endpoint)}'`) return real();
      refused++;
      if (refused === 1) throw new CertError('internal', 'too many match rules');
      return real();
    });
    const started = await manager({ 1: [one] });
    const watching = await watch();
    await until('it is found', () => watching.has(endpoint));
    started.certificates.set('1', [other]);
    started.changed('1');
    await until('the change is seen', () => pem(watching) === other);
  });

  it('believes what it was told meanwhile rather than a late answer about the owner', async () => {
    const first = await manager({ 1: [one] });
    let asked = false;
    intercept(async (call, real) => {
      if (call.member !== 'GetNameOwner' || asked) return real();
      asked = true;
      const answer = await real();
      first.bus.close();
      await until('it has ended', async () => !(await ownerOf(probe)));
      await manager({ 1: [one] });
      // The signals of both changes come before this answer
      await real();
      return answer;
    });
    const watching = await watch();
    await until('it is found', () => watching.has(endpoint));
    const owner = await ownerOf(probe);
    await until('the copy is that of the owner', () => {
      return watching.has(endpoint) && watching.copyOf(endpoint).owner === owner;
    });
  });

  it('takes nothing from before its manager lost the name, though the manager is the same', async () => {
    const held: (() => void)[] = [];
    const started = await manager({ 1: [one] }, (_, call, reply) => {
      const before = [{ [`${rootPath(endpoint)}/1`]: interfacesOf([third]) }];
      if (held.push(() => call.answer('a{oa{sa{sv}}}', before)) > 1) reply();
    });
    const watching = new ManagerWatch(bus.address, log);
    opened.push(watching);
    const watched = watching.start();
    await until('it is asked', () => held.length === 1);
    const nameCall = { ...busDaemon, body: [busName(endpoint)] };
    await started.bus.call({ ...nameCall, member: 'ReleaseName', signature: 's' });
    const again = { member: 'RequestName', signature: 'su', body: [busName(endpoint), 0] };
    await started.bus.call({ ...busDaemon, ...again });
    await until('it is found', () => watching.has(endpoint));
    assert.equal(pem(watching), one);
    held[0]?.();
    await watched;
    assert.equal(pem(watching), one);
  });

  it('tells what changed while a manager was away once each, when the copy has it', async () => {
    const first = await manager({ 1: [one], 2: [one], 3: [one] });
    const events: string[] = [];
    const watching = await watch(events);
    first.bus.close();
    await until('the loss is seen', () => !watching.has(endpoint));
    await manager({ 1: [other], 2: [one], 4: [third] }, (again, _, reply) => {
      again.added('4');
      again.changed('1');
      again.expires('1', 7);
      reply();
    });
    await until('it is back', () => watching.has(endpoint));
    assert.deepEqual(events, ['removed 3 (not there)', 'changed 1', 'created 4', 'expiring 1']);
  });

  it('counts what came before the answer as part of it', async () => {
    const first = await manager({ 1: [one] });
    const events: string[] = [];
    const watching = await watch(events);
    first.bus.close();
    await until('the loss is seen', () => !watching.has(endpoint));
    await manager({ 1: [one] }, (again, _, reply) => {
      again.certificates.set('1', ['garbage']);
      again.changed('1');
      again.certificates.set('1', [one]);
      again.changed('1');
      again.certificates.set('2', [one]);
      again.added('2');
      again.removed('2');
      again.certificates.delete('2');
      reply();
    });
    await until('it is back', () => watching.has(endpoint));
    assert.equal(pem(watching), one);
    assert.equal(watching.copyOf(endpoint).list().length, 1);
    assert.deepEqual(events, []);
  });

  it('tells of a chain that changed while its manager was away', async () => {
    const first = await manager({ 1: [one, other], 2: [one, third] });
    const events: string[] = [];
    const watching = await watch(events);
    first.bus.close();
    await until('the loss is seen', () => !watching.has(endpoint));
    await manager({ 1: [one, third], 2: [one, third] });
    await until('it is back', () => watching.has(endpoint));
    assert.deepEqual(events, ['changed 1']);
  });

  it('has nothing once it is closed', async () => {
    await manager({ 1: [one] });
    const watching = await watch();
    assert.equal(watching.has(endpoint), true);
    watching.close();
    assert.equal(watching.has(endpoint), false);
    assert.throws(() => watching.bus, { code: 'unavailable' });
  });
});

function ownerOf(bus: Bus): Promise<unknown> {
  const body = [busName(endpoint)];
  return bus.call({ ...busDaemon, member: 'GetNameOwner', signature: 's', body }).then(
    ([owner]) => owner,
    () => undefined,
  );
}
