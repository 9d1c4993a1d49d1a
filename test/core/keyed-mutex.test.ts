import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyedMutex } from '../../src/core/keyed-mutex.ts';

describe('a mutex for each key', () => {
  it('runs works of one key one after the other, goes on after a failure and forgets the key', async () => {
    const mutex = new KeyedMutex();
    const order: string[] = [];
    const first = assert.rejects(
      mutex.run('a', 'jane', async () => {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('first');
        throw new Error('no');
      }),
    );
    const second = mutex.run('a', 'jane', async () => order.push('second'));
    await mutex.run('b', 'jane', async () => order.push('other key'));
    await first;
    await second;
    assert.deepEqual(order, ['other key', 'first', 'second']);
    assert.equal(mutex.isTaken('a'), false);
  });

  it('has room for so many works of one owner at a key, and as many of another or at another', async () => {
    const mutex = new KeyedMutex(2);
    let end = () => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const run = (key: string, owner: string) => mutex.run(key, owner, () => held);
    const works = [run('a', 'jane'), run('a', 'jane'), run('a', 'joe'), run('b', 'jane')];
    assert.equal(mutex.hasRoom('a', 'jane'), false);
    for (const [key, owner] of [
      ['a', 'joe'],
      ['b', 'jane'],
      ['c', 'jane'],
    ] as const) {
      assert.equal(mutex.hasRoom(key, owner), true);
    }
    end();
    assert.equal(mutex.isTaken('a'), true);
    await Promise.all(works);
    assert.equal(mutex.hasRoom('a', 'jane'), true);
    assert.equal(mutex.isTaken('a'), false);
  });
});
