import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { eventsIn } from '../../../src/operator/remote/server-sent-events.ts';

async function read(chunks: readonly string[]): Promise<unknown[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  const events: unknown[] = [];
  for await (const event of eventsIn(stream)) events.push(event);
  return events;
}

/** Cuts a text at some of its places. */
function cut(text: string, places: readonly number[]): readonly string[] {
  const sorted = [...places.map((place) => place % (text.length + 1)), text.length].sort(
    (a, b) => a - b,
  );
  return sorted.map((place, at) => text.slice(sorted[at - 1] ?? 0, place));
}

const lineBreak = fc.constantFrom('\n', '\r\n', '\r');
const plain = { noNullPrototype: true };
const record = fc.record({ MessageId: fc.string(), EventId: fc.string() }, plain);
const event = fc.record({ Events: fc.array(record) }, plain);

describe('a stream of server-sent events', () => {
  it('brings the same events however it is cut, and whatever ends its lines', async () => {
    const places = fc.array(fc.nat(5000), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 5 }),
        lineBreak,
        places,
        async (events, end, at) => {
          const lines = events.flatMap((one, id) => [
            ': alive',
            `id: ${id}`,
            // Several lines of data are one text
            ...JSON.stringify(one, null, 1)
              .split('\n')
              .map((line) => `data: ${line}`),
            '',
          ]);
          const text = [...lines, ': end', ''].join(end);
          assert.deepEqual(await read(cut(text, at)), events);
        },
      ),
    );
  });

  it('ends where an event has no end', async () => {
    for (const line of [`data: ${'x'.repeat(1000)}\n`, 'data:\n'.repeat(1000)])
      await assert.rejects(read(Array.from({ length: 2000 }, () => line)), /longer than any/);
  });

  it('has no event in what is no JSON, or did not end', async () => {
    assert.deepEqual(await read(['data: {\n\ndata: {"a":1}\n\ndata: {"b":2}\n']), [{ a: 1 }]);
  });
});
