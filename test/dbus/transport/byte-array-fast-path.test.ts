import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import dbus from 'dbus-next';
import fc from 'fast-check';
import { type Bus, type Call, connectBus } from '../../../src/dbus/transport/bus.ts';
import { ByteArrayFastPath } from '../../../src/dbus/transport/byte-array-fast-path.ts';
import { toLibrary } from '../../../src/dbus/transport/library-values.ts';
import { requestName } from '../../fakes/fake-systemd.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';

/** A value as it is written, with its signature. */
interface Typed {
  readonly signature: string;
  readonly value: unknown;
}

/** As the library writes a message when nobody helps it. */
const { marshallMessage } = createRequire(import.meta.url)('dbus-next/lib/marshall-compat') as {
  marshallMessage(message: dbus.Message): readonly [Buffer, unknown];
};

const bytes = fc
  .tuple(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 250, max: 600 })), fc.nat())
  .map(([length, seed]) => Buffer.alloc(length, `${seed}`));
/** Values of each signature; those that follow bytes must stand at their own boundaries. */
const plain: readonly fc.Arbitrary<Typed>[] = [
  bytes.map((value) => ({ signature: 'ay', value })),
  fc
    .string({ unit: 'binary-ascii', maxLength: 9 })
    .map((text) => ({ signature: 's', value: text.replace(/\0/g, '') })),
  fc.constantFrom('', 's', 'a{sv}').map((value) => ({ signature: 'g', value })),
  fc.constantFrom('/', '/a/b').map((value) => ({ signature: 'o', value })),
  fc.nat().map((value) => ({ signature: 'u', value })),
  fc.integer({ min: -9, max: 9 }).map((value) => ({ signature: 'n', value })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ signature: 't', value })),
  fc.nat({ max: 255 }).map((value) => ({ signature: 'y', value })),
  fc.boolean().map((value) => ({ signature: 'b', value })),
];
const count = { minLength: 1, maxLength: 4 };
/** The same in structures, arrays of any length, dictionaries and variants, in which bytes are anywhere. */
const { any } = fc.letrec<{ any: Typed; struct: Typed; list: Typed; map: Typed; variant: Typed }>(
  (tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      ...plain,
      ...[tie('struct'), tie('list'), tie('map'), tie('variant')],
    ),
    struct: fc.array(tie('any'), count).map((members) => ({
      signature: `(${members.map(({ signature }) => signature).join('')})`,
      value: members.map(({ value }) => value),
    })),
    list: fc
      .tuple(tie('any'), fc.nat({ max: 3 }))
      .filter(([{ signature }]) => signature !== 'y')
      .map(([{ signature, value }, length]) => ({
        signature: `a${signature}`,
        value: Array.from({ length }, () => value),
      })),
    map: fc.tuple(tie('any'), fc.nat({ max: 3 })).map(([{ signature, value }, length]) => ({
      signature: `a{s${signature}}`,
      value: Object.fromEntries(Array.from({ length }, (_, at) => [`key ${at}`, value])),
    })),
    variant: tie('any').map((value) => ({ signature: 'v', value })),
  }),
);

describe('bytes in a message', () => {
  it('are written as the library would write them, whatever stands around them', () => {
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), (list) => {
        const stream = new PassThrough();
        const whole = new ByteArrayFastPath(stream);
        const signature = list.map((one) => one.signature).join('');
        const make = (placeholder: (one: Buffer) => Buffer) => {
          const message = new dbus.Message({
            ...{ destination: 'a.b', path: '/a', interface: 'a.b', member: 'C', serial: 7 },
            ...{ signature, body: list.map(({ value }) => toLibrary(value, placeholder)) },
          });
          return marshallMessage(message)[0];
        };
        whole.during(signature, (placeholder) => stream.write(make(placeholder)));
        const written: Buffer = stream.read();
        assert.ok(written.equals(make((one) => one)));
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
