import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { type InterfaceSpec, serve } from '../../../src/dbus/server/interface.ts';
import { ObjectServer } from '../../../src/dbus/server/object-server.ts';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import { until } from '../../e2e/commands.ts';
import { BusMonitor, type BusTools, busTools } from '../../fakes/bus-tools.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

const exampleInterface = {
  name: 'test.Example',
  methods: {
    Crash: { in: {}, out: { Result: 's' }, privileged: false },
    CrashLater: { in: {}, out: { Result: 's' }, privileged: false },
    ThrowText: { in: {}, out: {}, privileged: false },
    Refuse: { in: {}, out: {}, privileged: false },
    Count: { in: {}, out: { Result: 'u' }, privileged: false },
    Wait: { in: {}, out: {}, privileged: false },
    Whoami: { in: {}, out: { Result: 's' }, privileged: false },
    Guarded: { in: { Text: 's' }, out: { Result: 's' }, privileged: true },
  },
  properties: {},
} as const satisfies InterfaceSpec;

const secret = 'EACCES: /etc/ssl/private/key.pem';

describe('the object server', () => {
  let bus: PrivateBus;
  let connection: Bus;
  let tools: BusTools;
  let count = 0;
  let open = false;
  const reports: string[] = [];
  const waiters: (() => void)[] = [];
  const followed: string[] = [];

  before(async () => {
    bus = await startPrivateBus();
    connection = await connectBus(bus.address);
    const server = new ObjectServer({
      bus: connection,
      root: '/example',
      authorize: async () => {
        if (!open) throw new CertError('access-denied', 'nobody may');
      },
      async follow(_call, method, work) {
        followed.push(method.name);
        return work();
      },
      report: (call, error) => {
        reports.push(`${call.member} ${String(error)}`);
      },
    });
    server.add('/example', [
      serve(exampleInterface, {
        properties: {},
        methods: {
          Crash: () => {
            throw new Error(secret);
          },
          CrashLater: () => Promise.reject(new TypeError(secret)),
          ThrowText: () => {
            throw secret;
          },
          Refuse: () => {
            throw new CertError('limit-reached', '11 authorities are more than the limit of 10');
          },
          Count: () => {
            count += 1;
            return count;
          },
          Wait: () => new Promise((resolve) => waiters.push(() => resolve(undefined))),
          Whoami: (_, caller) => caller.name,
          Guarded: ({ Text }) => Text,
        },
      }),
    ]);
    await requestName(connection, 'test.Server');
    tools = busTools({ address: bus.address, destination: 'test.Server' });
  });
  after(async () => {
    connection?.close();
    await bus?.stop();
  });

  for (const method of ['Crash', 'CrashLater', 'ThrowText']) {
    it(`tells a caller nothing of what went wrong inside: ${method}`, async () => {
      reports.length = 0;
      const answer = await tools.refusal('/example', `test.Example.${method}`);
      assert.equal(
        answer,
        'xyz.openbmc_project.Common.Error.InternalFailure: internal: The operation failed internally.',
      );
      assert.equal(reports.length, 1);
      assert.match(reports[0] ?? '', new RegExp(`^${method} .*EACCES`));
    });
  }

  it('names the failing check of a refusal, which it does not report as a failure', async () => {
    reports.length = 0;
    assert.equal(
      await tools.refusal('/example', 'test.Example.Refuse'),
      'xyz.openbmc_project.Common.Error.NotAllowed: limit-reached: 11 authorities are more than the limit of 10',
    );
    assert.deepEqual(reports, []);
  });

  it('lets the gate decide over privileged methods only', async () => {
    reports.length = 0;
    open = false;
    const method = 'test.Example.Guarded';
    const answer = await tools.refusal('/example', method, 'string:hello');
    assert.equal(answer, 'org.freedesktop.DBus.Error.AccessDenied: access-denied: nobody may');
    assert.deepEqual(reports, []);
    assert.deepEqual(followed, [method]);
    await tools.call('/example', 'test.Example.Count');
    open = true;
    assert.deepEqual(await tools.call('/example', method, 's', 'hello'), ['hello']);
  });

  it('tells a method the unique name of its caller', async () => {
    assert.match(String((await tools.call('/example', 'test.Example.Whoami'))[0]), /^:1\.\d+$/);
  });

  it('does what a caller asks who wants no reply, and sends none, whether it fails or not', async () => {
    const monitor = await BusMonitor.start(bus.address);
    try {
      const before = count;
      for (const method of ['Count', 'Crash', 'Nothing']) {
        const target = ['call', 'test.Server', '/example', 'test.Example', method];
        await tools.busctl('--expect-reply=no', ...target);
      }
      // Calls are handled in the order in which they come
      assert.deepEqual(await tools.call('/example', 'test.Example.Count'), [before + 2]);
      const seen = await monitor.messages();
      const calls = seen.filter(({ interface: name }) => name === 'test.Example');
      assert.deepEqual(
        calls.map(({ member, flags }) => [member, flags & 1]),
        [
          ['Count', 1],
          ['Crash', 1],
          ['Nothing', 1],
          ['Count', 0],
        ],
      );
      const replies = seen.filter(({ sender }) => sender === connection.uniqueName);
      assert.deepEqual(
        replies.map(({ type }) => type),
        ['method_return'],
      );
    } finally {
      await monitor.stop();
    }
  });

  it('answers a call while another one still waits', async () => {
    const waiting = tools.call('/example', 'test.Example.Wait');
    await until('the first call waits', () => waiters.length === 1);
    await tools.call('/example', 'test.Example.Count');
    for (const go of waiters.splice(0)) go();
    await waiting;
  });
});
