import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { busName } from '../../../src/dbus/certs/endpoint-names.ts';
import { EndpointCopy } from '../../../src/dbus/client/endpoint-copy.ts';
import { type Bus, type Call, connectBus } from '../../../src/dbus/transport/bus.ts';
import { busDaemon } from '../../../src/dbus/transport/bus-driver.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { until } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { makeSample, startScriptedManager } from '../../fakes/scripted-manager.ts';

const endpoint = { type: 'server', name: 'https' } as const;
const [one, other] = ['one', 'other'].map(makeSample);
assert.ok(one && other);

describe('the copy of an endpoint', () => {
  let bus: PrivateBus;
  let edge: Bus;
  let listeners = 0;

  before(async () => {
    bus = await startPrivateBus();
    const connected = await connectBus(bus.address);
    const body = [`type='signal',sender='${busName(endpoint)}'`];
    await connected.call({ ...busDaemon, member: 'AddMatch', signature: 's', body });
    edge = {
      uniqueName: connected.uniqueName,
      call: (call) => connected.call(call),
      signal: (...given) => connected.signal(...given),
      handleCalls: (handler) => connected.handleCalls(handler),
      onLost: (listener) => connected.onLost(listener),
      close: () => connected.close(),
      onSignal(listener) {
        const stop = connected.onSignal(listener);
        listeners++;
        return () => {
          stop();
          listeners--;
        };
      },
    };
  });
  after(async () => {
    edge?.close();
    await bus?.stop();
  });

  const oddReplies: readonly (readonly [string, (call: Call) => void])[] = [
    ['nothing at all', (call) => call.answer('', [])],
    ['an error', (call) => call.fail({ name: 'org.example.Error', text: 'no' })],
  ];
  for (const [what, answer] of oddReplies) {
    it(`is not made, and listens no more, when the reply is ${what}`, async () => {
      const manager = await startScriptedManager(bus.address, endpoint, {}, (_, call) =>
        answer(call),
      );
      try {
        await assert.rejects(
          EndpointCopy.fetch(edge, endpoint, manager.bus.uniqueName, usualLimits),
        );
        assert.equal(listeners, 0);
      } finally {
        manager.bus.close();
      }
    });
  }

  it('has no status of a manager that has no interfaces of ours', async () => {
    const manager = await startScriptedManager(bus.address, endpoint, { 1: [one] });
    const copy = await EndpointCopy.fetch(edge, endpoint, manager.bus.uniqueName, usualLimits);
    assert.equal(copy.status, undefined);
    assert.equal(copy.list().length, 1);
    copy.close();
    manager.bus.close();
  });

  it('follows a certificate that nobody can read until it can be read again', async () => {
    const manager = await startScriptedManager(bus.address, endpoint, { 1: [one] });
    const copy = await EndpointCopy.fetch(edge, endpoint, manager.bus.uniqueName, usualLimits);
    const events: string[] = [];
    copy.tellTo(({ kind, id }) => events.push(`${kind} ${id}`));
    for (const pem of ['no certificate', other]) {
      manager.certificates.set('1', [pem]);
      manager.changed('1');
    }
    await until('it is back', () => copy.get('1')?.certificate.pem === other);
    assert.deepEqual(events, ['removed 1', 'created 1']);
    copy.close();
    assert.equal(listeners, 0);
    manager.bus.close();
  });

  it('takes an id that is given again for a new object', async () => {
    const manager = await startScriptedManager(bus.address, endpoint, { 1: [one] });
    const copy = await EndpointCopy.fetch(edge, endpoint, manager.bus.uniqueName, usualLimits);
    const events: string[] = [];
    copy.tellTo(({ kind, id }) => events.push(`${kind} ${id}`));
    manager.removed('1');
    manager.certificates.set('1', [other]);
    // Its properties are announced before the object, and are no event of their own
    manager.changed('1');
    manager.added('1');
    await until('it is there', () => copy.get('1')?.certificate.pem === other);
    assert.deepEqual(events, ['removed 1', 'created 1']);
    copy.close();
    manager.bus.close();
  });
});
