import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, it } from 'node:test';
import { SystemLookups } from '../../src/outbound/system-lookups.ts';
import { eventually } from '../redfish/events/manual-clock.ts';

interface Question {
  readonly name: string;
  readonly answer: (address: string) => void;
  readonly fail: () => void;
}

function stage() {
  const questions: Question[] = [];
  const lookups = new SystemLookups(
    (name) =>
      new Promise<LookupAddress[]>((resolve, reject) => {
        questions.push({
          name,
          answer: (address) => resolve([{ address, family: 4 }]),
          fail: () => reject(new Error('ENOTFOUND')),
        });
      }),
  );
  const { signal } = new AbortController();
  const find = (name: string, limit: { milliseconds?: number; signal?: AbortSignal } = {}) =>
    lookups.addressesOf(name, { milliseconds: 60_000, signal, ...limit });
  const names = () => questions.map(({ name }) => name);
  return { questions, find, names };
}

const firstOf = ([found]: readonly LookupAddress[]) => found?.address;

describe('the lookups of names by the system', () => {
  it('are one for each name, whoever waits for it', async () => {
    const { questions, find, names } = stage();
    const both = [find('a'), find('a')];
    await assert.rejects(find('a', { milliseconds: 20 }), /in time/);
    assert.deepEqual(names(), ['a']);
    questions[0]?.answer('192.0.2.1');
    assert.deepEqual((await Promise.all(both)).map(firstOf), ['192.0.2.1', '192.0.2.1']);
    const again = find('a');
    questions[1]?.answer('192.0.2.2');
    assert.equal(firstOf(await again), '192.0.2.2');
  });

  it('are two at a time, and what waits for its turn loses no time of its own', async () => {
    const { questions, find, names } = stage();
    const dead = [find('dead1', { milliseconds: 20 }), find('dead2', { milliseconds: 20 })];
    const third = find('third', { milliseconds: 1000 });
    // Given up, yet their threads are busy until the system has an answer
    for (const one of dead) await assert.rejects(one, /in time/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.deepEqual(names(), ['dead1', 'dead2']);
    questions[0]?.fail();
    await eventually('the third', () => names().includes('third'));
    questions[2]?.answer('192.0.2.3');
    assert.equal(firstOf(await third), '192.0.2.3');
  });

  it('leave the line when nobody waits for them any more', async () => {
    const { questions, find, names } = stage();
    const [first, second] = [find('dead1'), find('dead2')];
    const calling = new AbortController();
    const left = find('left', { signal: calling.signal });
    const [leaver, stayer] = [find('kept', { signal: calling.signal }), find('kept')];
    calling.abort();
    await assert.rejects(left, { name: 'AbortError' });
    await assert.rejects(leaver, { name: 'AbortError' });
    questions[0]?.fail();
    await assert.rejects(first, /ENOTFOUND/);
    await eventually('the next one', () => names().length === 3);
    assert.deepEqual(names(), ['dead1', 'dead2', 'kept']);
    questions[2]?.answer('192.0.2.3');
    assert.equal(firstOf(await stayer), '192.0.2.3');
    questions[1]?.fail();
    await assert.rejects(second, /ENOTFOUND/);
  });
});
