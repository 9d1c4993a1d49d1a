import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { Semaphore } from '../../src/core/semaphore.ts';

describe('a semaphore', () => {
  const { signal } = new AbortController();

  it('gives its permits in the order in which they were asked for', async () => {
    const semaphore = new Semaphore(2);
    const given: number[] = [];
    const releases = [1, 2, 3, 4].map((at) =>
      semaphore.acquire(signal).then((release) => {
        given.push(at);
        return release;
      }),
    );
    await Promise.all(releases.slice(0, 2));
    assert.deepEqual(given, [1, 2]);
    (await releases[1])?.();
    (await releases[2])?.();
    await releases[3];
    assert.deepEqual(given, [1, 2, 3, 4]);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  it('is left by whoever calls off what waits, and goes on with the next', async () => {
    const semaphore = new Semaphore(1);
    const release = await semaphore.acquire(signal);
    const calling = new AbortController();
    const left = semaphore.acquire(calling.signal);
    const stays = semaphore.acquire(signal);
    calling.abort();
    await assert.rejects(left, { name: 'AbortError' });
    await assert.rejects(semaphore.acquire(calling.signal), { name: 'AbortError' });
    release();
    (await stays)();
    (await semaphore.acquire(signal))();
  });
});
