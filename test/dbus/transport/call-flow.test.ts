import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Call } from '../../../src/dbus/transport/bus.ts';
import type { CallLimits } from '../../../src/dbus/transport/call-flow.ts';
import { until } from '../../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/stack.ts';
import { wireMessage } from '../../fakes/raw-bus.ts';
import { connectFakeBus, type FakeBus } from '../../torture/hostile-input/fake-bus.ts';

const directory = temporaryDirectory();
after(() => removeDirectory(directory));

/** A connection with a handler that keeps every call in hand until the test lets it go. */
interface Desk {
  readonly fake: FakeBus;
  /** What came, in its order. */
  readonly seen: string[];
  readonly held: { readonly call: Call; release(): void }[];
  send(count: number, bytes?: number): void;
}

const open: FakeBus[] = [];
let serial = 0;

async function openDesk(limits: CallLimits): Promise<Desk> {
  const fake = await connectFakeBus(join(directory, `bus-${++serial}`), limits);
  open.push(fake);
  const seen: string[] = [];
  const held: { call: Call; release(): void }[] = [];
  fake.bus.handleCalls((call) => {
    seen.push(call.member);
    return new Promise((resolve) => held.push({ call, release: resolve }));
  });
  let sent = 0;
  const send = (count: number, bytes = 0) => {
    const text = 'x'.repeat(bytes);
    const calls = Array.from({ length: count }, () => {
      const to = { path: '/a', interface: 'a.b', member: `M${sent++}`, sender: ':1.9' };
      return wireMessage({ ...to, type: 1, serial: sent, signature: 's', body: [text] });
    });
    fake.send(Buffer.concat(calls));
  };
  return { fake, seen, held, send };
}

/** Long enough for whatever can be read to have been read. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
}

describe('calls that come faster than they are answered', () => {
  afterEach(() => {
    for (const fake of open.splice(0)) fake.close();
  });

  const kinds = [
    { what: 'as many as the limit', limits: { calls: 3, bytes: 1e6 }, bytes: 0, inHand: 3 },
    {
      what: 'as many bytes as the limit',
      limits: { calls: 99, bytes: 2500 },
      bytes: 900,
      inHand: 3,
    },
    {
      what: 'a call as large as the limit',
      limits: { calls: 99, bytes: 500 },
      bytes: 900,
      inHand: 1,
    },
  ];
  for (const { what, limits, bytes, inHand } of kinds) {
    it(`wait in the bus while ${what} is in hand`, async () => {
      const desk = await openDesk(limits);
      desk.send(20, bytes);
      await until('the first are in hand', () => desk.held.length >= inHand);
      await rest();
      assert.equal(desk.held.length, inHand);
      desk.held[0]?.release();
      await until('the next is in hand', () => desk.held.length > inHand);
      await rest();
      assert.equal(desk.held.length, inHand + 1);
    });
  }

  it('wait in the bus while it does not take the answers, and are all answered when it does', async () => {
    const desk = await openDesk({ calls: 100, bytes: 1e6 });
    const { fake, seen, held } = desk;
    const answer = 'x'.repeat(20_000);
    const answerAll = () => {
      for (const { call, release } of held.splice(0)) {
        call.answer('s', [answer]);
        release();
      }
    };
    fake.setDeaf(true);
    desk.send(1000);
    let before = -1;
    while (seen.length !== before) {
      before = seen.length;
      answerAll();
      await rest();
    }
    assert.ok(seen.length > 0 && seen.length < 300, `${seen.length} calls were read`);
    fake.setDeaf(false);
    await until('all are read', () => {
      answerAll();
      return seen.length === 1000;
    });
  });

  it('are each handed over once and in order, with no more than the limit in hand', async () => {
    const limit = fc.integer({ min: 1, max: 5 });
    const sizes = fc.array(fc.nat(2000), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(limit, sizes, fc.infiniteStream(fc.nat()), async (calls, all, picks) => {
        const desk = await openDesk({ calls, bytes: 1e6 });
        for (const bytes of all) desk.send(1, bytes);
        while (desk.seen.length < all.length) {
          await until('a call is in hand', () => desk.held.length > 0);
          assert.ok(desk.held.length <= calls, `${desk.held.length} are in hand`);
          const at = Number(picks.next().value) % desk.held.length;
          for (const one of desk.held.splice(at, 1)) one.release();
          await new Promise(setImmediate);
        }
        assert.deepEqual(
          desk.seen,
          all.map((_, at) => `M${at}`),
        );
      }),
      { numRuns: 20 },
    );
  });
});
