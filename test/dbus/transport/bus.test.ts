import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bus,
  type Call,
  connectBus,
  type OutgoingCall,
} from '../../../src/dbus/transport/bus.ts';
import { must, until } from '../../e2e/commands.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const question: OutgoingCall = {
  destination: 'test.Silent',
  path: '/',
  interface: 'test.Example',
  member: 'Ask',
};
const getId: OutgoingCall = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'GetId',
};

describe('a connection to a bus', () => {
  let daemon: PrivateBus;
  let bus: Bus;
  let silent: Bus;
  const asked: Call[] = [];

  beforeEach(async () => {
    daemon = await startPrivateBus();
    bus = await connectBus(daemon.address);
    silent = await connectBus(daemon.address);
    asked.length = 0;
    silent.handleCalls((call) => {
      asked.push(call);
      return undefined;
    });
    await requestName(silent, 'test.Silent');
  });
  afterEach(async () => {
    bus?.close();
    silent?.close();
    await daemon?.stop();
  });

  it('gives up a call that nobody answers in its time', async () => {
    await assert.rejects(bus.call({ ...question, timeout: 200 }), { code: 'no-answer' });
  });

  it('does not mind an answer that comes too late', async () => {
    await assert.rejects(bus.call({ ...question, timeout: 200 }), { code: 'no-answer' });
    for (const call of asked) call.answer('s', ['late']);
    const [id] = await bus.call(getId);
    assert.match(String(id), /^[0-9a-f]{32}$/);
  });

  it('rejects every call that waits when the daemon dies, and tells so once', async () => {
    let told = 0;
    bus.onLost(() => {
      told += 1;
    });
    const waiting = [bus.call(question), bus.call(question)];
    const outcomes = Promise.allSettled(waiting);
    await until('the calls are under way', () => asked.length === 2);
    await daemon.kill();
    for (const outcome of await outcomes) {
      assert.equal(outcome.status, 'rejected');
      assert.equal(outcome.reason.code, 'unavailable');
    }
    await assert.rejects(bus.call(getId), { code: 'unavailable' });
    bus.signal('/', 'test.Example', 'Happened', '', []);
    await sleep(50);
    assert.equal(told, 1);
  });

  it('tells of no loss when it is closed by its owner', async () => {
    let told = 0;
    bus.onLost(() => {
      told += 1;
    });
    bus.close();
    await assert.rejects(bus.call(getId), { code: 'unavailable' });
    await daemon.kill();
    await sleep(50);
    assert.equal(told, 0);
  });

  it('rejects a call that waits when its owner closes the connection', async () => {
    const refused = assert.rejects(bus.call(question), { code: 'unavailable' });
    await until('the call is under way', () => asked.length === 1);
    bus.close();
    await refused;
  });

  it('rejects a call to a name that nobody owns as unavailable', async () => {
    await assert.rejects(bus.call({ ...question, destination: 'test.Nobody' }), {
      code: 'unavailable',
    });
  });

  it('rejects a call to one that leaves without an answer', async () => {
    const refused = assert.rejects(bus.call(question), { code: 'no-answer' });
    await until('the call is under way', () => asked.length === 1);
    silent.close();
    await refused;
  });

  it('rejects a call with arguments that its signature does not allow, and goes on', async () => {
    const bad = { ...getId, member: 'GetNameOwner', signature: 's', body: [5] };
    await assert.rejects(bus.call(bad));
    await bus.call(getId);
  });

  it('carries values of every kind that we use, to and fro', async () => {
    const value = { signature: 'a{sv}', value: { é: { signature: 'as', value: ['ü', ''] } } };
    const body = ['', true, 4_294_967_295, 18_446_744_073_709_551_615n, -1n, '/a/b', [], value];
    const waiting = bus.call({ ...question, signature: 'sbutxoasv', body });
    await until('the call is there', () => asked.length === 1);
    assert.deepEqual(asked[0]?.body, body);
    asked[0]?.answer('sbutxoasv', body);
    assert.deepEqual(await waiting, body);
  });

  it('hears signals until it stops listening', async () => {
    const rule = "type='signal',interface='test.Example'";
    await bus.call({ ...getId, member: 'AddMatch', signature: 's', body: [rule] });
    const heard: string[] = [];
    const stop = bus.onSignal(({ member }) => heard.push(member));
    await must('dbus-send', [`--bus=${daemon.address}`, '/', 'test.Example.First']);
    await until('the signal is heard', () => heard.includes('First'));
    stop();
    await must('dbus-send', [`--bus=${daemon.address}`, '/', 'test.Example.Second']);
    await bus.call(getId);
    assert.ok(!heard.includes('Second'));
  });
});

describe('the address of a bus', () => {
  const names = ['with space', 'with+plus', 'with%25percent', 'with%percent', 'wíth-ümlaut'];
  for (const name of names) {
    it(`may escape a path: ${name}`, async () => {
      const daemon = await startPrivateBus(name);
      try {
        assert.match(daemon.address, /%[0-9a-f]{2}/);
        const bus = await connectBus(daemon.address);
        bus.close();
      } finally {
        await daemon.stop();
      }
    });
  }

  it('that is empty is the one of the system bus', async () => {
    const daemon = await startPrivateBus();
    const before = process.env.DBUS_SYSTEM_BUS_ADDRESS;
    process.env.DBUS_SYSTEM_BUS_ADDRESS = daemon.address;
    try {
      const bus = await connectBus('');
      assert.match(bus.uniqueName, /^:1\.\d+$/);
      bus.close();
    } finally {
      if (before === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
      else process.env.DBUS_SYSTEM_BUS_ADDRESS = before;
      await daemon.stop();
    }
  });
});

describe('an address where no bus is', () => {
  let daemon: PrivateBus;
  let rude: Server;

  before(async () => {
    daemon = await startPrivateBus();
    rude = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => rude.listen(join(daemon.directory, 'rude'), resolve));
  });
  after(async () => {
    rude?.close();
    await daemon?.stop();
  });

  const addresses = [
    { what: 'no socket', address: () => `unix:path=${daemon.directory}/nothing` },
    { what: 'a file', address: () => `unix:path=${daemon.directory}/bus.conf` },
    { what: 'a server that hangs up', address: () => `unix:path=${daemon.directory}/rude` },
    { what: 'a closed TCP port', address: () => 'tcp:host=127.0.0.1,port=1' },
    { what: 'a transport that is not supported', address: () => 'unix:abstract=/nowhere' },
    { what: 'no transport', address: () => 'nonsense' },
    { what: 'no path', address: () => 'unix:' },
  ];
  for (const { what, address } of addresses) {
    it(`is unavailable: ${what}`, async () => {
      await assert.rejects(connectBus(address()), { code: 'unavailable' });
    });
  }
});
