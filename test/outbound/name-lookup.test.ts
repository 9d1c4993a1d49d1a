import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { nameLookup } from '../../src/outbound/name-lookup.ts';
import { sendRequest } from '../../src/outbound/request.ts';
import { startReceiver } from '../redfish/events/receivers.ts';

interface Question {
  readonly name: string;
  readonly answer: () => void;
  readonly fail: () => void;
}

function stage() {
  const questions: Question[] = [];
  const lookUp = nameLookup(
    (name) =>
      new Promise<LookupAddress[]>((resolve, reject) => {
        const answer = () => resolve([{ address: '127.0.0.1', family: 4 }]);
        questions.push({ name, answer, fail: () => reject(new Error('ENOTFOUND')) });
        if (name.startsWith('good')) answer();
      }),
  );
  const { signal } = new AbortController();
  const find = (name: string, limit: { milliseconds?: number; signal?: AbortSignal } = {}) =>
    lookUp(name, { milliseconds: 60_000, signal, ...limit });
  const names = () => questions.map(({ name }) => name);
  return { questions, lookUp, find, names };
}

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('the name of a server of others', () => {
  it('is what the system says', async () => {
    const lookUp = nameLookup();
    const limit = { milliseconds: 20_000, signal: new AbortController().signal };
    const found = await lookUp('localhost', limit);
    assert.ok(found.some(({ address }) => ['127.0.0.1', '::1'].includes(address)));
  });

  it('that hangs has one thread for itself and the other new ones, and loses no time in line', async () => {
    const { questions, find, names } = stage();
    // Given up, yet its thread is busy until the system has an answer
    await assert.rejects(find('dead', { milliseconds: 20 }), /not found in time/);
    const next = find('next', { milliseconds: 50 });
    const outcome = assert.rejects(next, /not found in time/);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(names(), ['dead']);
    questions[0]?.fail();
    await outcome;
    assert.deepEqual(names(), ['dead', 'next']);
  });

  it('that was found before is found at once again, however many others nobody answers for', async () => {
    const { lookUp, names } = stage();
    const receiver = await startReceiver();
    const calling = new AbortController();
    const send = async (name: string) => {
      const url = new URL(`http://${name}:${receiver.port}/`);
      const request = { method: 'POST', url, headers: {}, body: '{}' };
      const limits = {
        ...{ allowLoopback: true, allowLinkLocal: false },
        ...{ milliseconds: 60_000, responseBytes: 1000 },
      };
      return (await sendRequest(request, limits, lookUp, calling.signal)).status;
    };
    try {
      assert.equal(await send('good.test'), 204);
      let ended = 0;
      const dead = Array.from({ length: 50 }, (_, at) =>
        send(`n${at}.dead.test`).finally(() => {
          ended += 1;
        }),
      );
      const outcomes = Promise.allSettled(dead);
      for (let round = 0; round < 3; round += 1) assert.equal(await send('good.test'), 204);
      assert.equal(ended, 0);
      assert.deepEqual(new Set(names()), new Set(['good.test', 'n0.dead.test']));
      calling.abort();
      for (const { status } of await outcomes) assert.equal(status, 'rejected');
    } finally {
      receiver.close();
    }
  });

  it('that was found before and hangs then holds up the others that were found no more than once', async () => {
    const { questions, find, names } = stage();
    const first = find('turns');
    await tick();
    questions[0]?.answer();
    await first;
    await find('good');
    await assert.rejects(find('turns', { milliseconds: 20 }), /in time/);
    const good = find('good');
    questions[2]?.fail();
    await good;
    const again = assert.rejects(find('turns'), /ENOTFOUND/);
    await tick();
    assert.deepEqual(names(), ['turns', 'good', 'turns', 'good', 'turns']);
    await find('good');
    questions[4]?.fail();
    await again;
  });

  it('is looked up no longer when that is called off, and leaves nothing with its signal', async () => {
    const { questions, find, names } = stage();
    const calling = new AbortController();
    const { signal } = calling;
    const ended = assert.rejects(find('dead', { signal }), { name: 'AbortError' });
    await tick();
    const left = assert.rejects(find('left', { signal }), { name: 'AbortError' });
    const stays = find('good');
    calling.abort();
    await Promise.all([ended, left]);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
    await assert.rejects(find('dead', { signal }), { name: 'AbortError' });
    questions[0]?.fail();
    await stays;
    assert.deepEqual(names(), ['dead', 'good']);
  });

  it('that the system refuses to look up frees its thread for the next', async () => {
    const lookUp = nameLookup((name) => {
      if (name === 'bad') throw new TypeError('bad name');
      return Promise.resolve([{ address: '192.0.2.1', family: 4 }]);
    });
    const limit = { milliseconds: 20_000, signal: new AbortController().signal };
    await assert.rejects(lookUp('bad', limit), TypeError);
    assert.equal((await lookUp('good', limit)).length, 1);
  });
});
