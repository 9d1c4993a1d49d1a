import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import dbus from 'dbus-next';
import fc from 'fast-check';
import { type Bus, type Call, connectBus } from '../../../src/dbus/transport/bus.ts';
import { ByteArrayFastPath } from '../../../src/dbus/transport/byte-array-fast-path.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

/** As the library writes a message when nobody helps it. */
const { marshallMessage } = createRequire(import.meta.url)('dbus-next/lib/marshall-compat') as {
  marshallMessage(message: dbus.Message): readonly [Buffer, unknown];
};

const bytes = fc
  .tuple(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 250, max: 600 })), fc.nat())
  .map(([length, seed]) => Buffer.alloc(length, `${seed}`));
/** Values of each signature; those that follow bytes must stand at their own boundaries. */
const values: readonly fc.Arbitrary<readonly [string, unknown]>[] = [
  bytes.map((value) => ['ay', value]),
  fc.string({ unit: 'binary-ascii', maxLength: 9 }).map((text) => ['s', text.replace(/\0/g, '')]),
  fc.nat().map((value) => ['u', value]),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ['t', value]),
  fc.nat({ max: 255 }).map((value) => ['y', value]),
  fc.boolean().map((value) => ['b', value]),
];

describe('bytes in a message', () => {
  it('are written as the library would write them, whatever stands around them', () => {
    const body = fc.array(fc.oneof(...values), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(body, (list) => {
        const stream = new PassThrough();
        const whole = new ByteArrayFastPath(stream);
        const make = (placeholder: (one: Buffer) => Buffer) => {
          const message = new dbus.Message({
            ...{ destination: 'a.b', path: '/a', interface: 'a.b', member: 'C', serial: 7 },
            signature: list.map(([signature]) => signature).join(''),
            body: list.map(([, value]) => (Buffer.isBuffer(value) ? placeholder(value) : value)),
          });
          return marshallMessage(message)[0];
        };
        whole.during((placeholder) => stream.write(make(placeholder)));
        assert.deepEqual(
          stream.read(),
          make((one) => one),
        );
      }),
    );
  });

  describe('on a real bus', () => {
    let daemon: PrivateBus;
    let caller: Bus;
    let listener: Bus;
    const heard: Call[] = [];

    before(async () => {
      daemon = await startPrivateBus();
      caller = await connectBus(daemon.address);
      listener = await connectBus(daemon.address, () => 4_000_000);
      listener.handleCalls((call) => {
        heard.push(call);
        call.answer('s', [call.signature]);
      });
      await requestName(listener, 'test.Listener');
    });
    after(async () => {
      caller?.close();
      listener?.close();
      await daemon?.stop();
    });

    for (const length of [0, 255, 256, 1_048_576, 1_048_579]) {
      it(`arrive: ${length}, and what stands behind them`, async () => {
        const given = [randomBytes(length), 'between', randomBytes(length), 'behind'];
        const call = { destination: 'test.Listener', path: '/', interface: 'test.I', member: 'M' };
        assert.deepEqual(await caller.call({ ...call, signature: 'aysays', body: given }), [
          'aysays',
        ]);
        assert.deepEqual(heard.at(-1)?.body, given);
      });
    }
  });
});
