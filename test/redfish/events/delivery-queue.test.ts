import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestDeferred } from '../../../src/outbound/request-deferred.ts';
import { DeliveryQueue, type RetryPolicy } from '../../../src/redfish/events/delivery-queue.ts';
import { resourceEvent } from '../../../src/redfish/events/event-record.ts';
import { eventually, ManualClock } from './manual-clock.ts';

function stage(policy: RetryPolicy) {
  const clock = new ManualClock();
  const told: string[] = [];
  const state = { takes: false, tries: 0, heldUp: false };
  const taken: string[] = [];
  const queue = new DeliveryQueue(false, {
    clock,
    random: () => 0.5,
    size: 3,
    longestBackoffMilliseconds: 5000,
    rules: () => ({ policy, attempts: 2, intervalMilliseconds: 1000 }),
    async send({ id, messageId }) {
      state.tries += 1;
      if (state.heldUp) throw new RequestDeferred('nobody to ask');
      if (!state.takes) throw new Error('refused');
      taken.push(`${id} ${messageId.split('.').at(-1)}`);
    },
    onGivenUp: (outcome) => told.push(outcome),
    onFailure: (reason) => told.push(reason),
    onHeldUp: (reason) => told.push(reason),
    onOverflow: () => told.push('overflow'),
  });
  const add = (id: number) => {
    queue.add({ ...resourceEvent('ResourceChanged', [], {}), id });
  };
  const pause = async () => {
    await eventually('a pause', () => clock.pauses.length === 1);
    return clock.pauses[0] ?? 0;
  };
  return { clock, told, state, taken, queue, add, pause };
}

describe('the queue of a receiver', () => {
  it('delivers in order, one after the other', async () => {
    const { state, taken, add } = stage('RetryForever');
    state.takes = true;
    for (const id of [1, 2, 3]) add(id);
    await eventually('three deliveries', () => taken.length === 3);
    assert.deepEqual(taken, ['1 ResourceChanged', '2 ResourceChanged', '3 ResourceChanged']);
  });

  it('ends the subscription when TerminateAfterRetries has used up its retries', async () => {
    const { clock, told, state, add, pause } = stage('TerminateAfterRetries');
    add(1);
    for (let retry = 0; retry < 2; retry += 1) clock.advance(await pause());
    await eventually('the end', () => told.includes('terminate'));
    assert.equal(state.tries, 3);
  });

  for (const policy of ['TerminateAfterRetries', 'SuspendRetries'] as const) {
    it(`counts for no retry of ${policy} what was not its receiver's to take`, async () => {
      const { clock, told, state, taken, queue, add, pause } = stage(policy);
      state.heldUp = true;
      add(1);
      for (let round = 0; round < 5; round += 1) {
        const milliseconds = await pause();
        assert.equal(milliseconds, 1000);
        clock.advance(milliseconds);
      }
      await pause();
      assert.equal(queue.isFailing, true);
      assert.deepEqual(told, ['nobody to ask']);
      state.heldUp = false;
      for (let retry = 0; retry < 2; retry += 1) clock.advance(await pause());
      await pause();
      assert.deepEqual(told, ['nobody to ask', 'refused', 'refused']);
      state.takes = true;
      clock.advance(1000);
      await eventually('the delivery', () => taken.length === 1);
      assert.equal(queue.isFailing, false);
    });
  }

  it('keeps its events when SuspendRetries gives up, and delivers them once it is resumed', async () => {
    const { clock, told, state, taken, queue, add, pause } = stage('SuspendRetries');
    add(1);
    add(2);
    for (let retry = 0; retry < 2; retry += 1) clock.advance(await pause());
    await eventually('the suspension', () => told.includes('suspend'));
    state.takes = true;
    add(3);
    assert.deepEqual(taken, []);
    queue.resume(Number.POSITIVE_INFINITY);
    await eventually('three deliveries', () => taken.length === 3);
    assert.deepEqual(taken[0], '1 ResourceChanged');
  });

  it('sends nothing that is older than the client wants when it resumes', async () => {
    const { clock, state, taken, queue, add } = stage('SuspendRetries');
    state.takes = true;
    queue.suspend();
    add(1);
    clock.advance(10_000);
    add(2);
    queue.resume(5000);
    await eventually('a delivery', () => taken.length === 1);
    assert.deepEqual(taken, ['2 ResourceChanged']);
  });

  it('counts how long events waited and not what the time of day was', async () => {
    const { clock, state, taken, queue, add } = stage('SuspendRetries');
    state.takes = true;
    queue.suspend();
    clock.set(1000);
    add(1);
    clock.set(Date.UTC(2026, 0, 1));
    add(2);
    clock.set(1000);
    queue.resume(5000);
    await eventually('two deliveries', () => taken.length === 2);
  });

  it('drops nothing when it is resumed though it was not suspended', async () => {
    const { clock, state, taken, queue, add, pause } = stage('RetryForever');
    for (const id of [1, 2, 3]) add(id);
    clock.advance((await pause()) - 1);
    queue.resume(100);
    assert.equal(queue.isFailing, true);
    state.takes = true;
    clock.advance(1);
    await eventually('three deliveries', () => taken.length === 3);
  });

  const patterns = [
    ['RetryForever', [1000, 1000, 1000, 1000, 1000]],
    ['RetryForeverWithBackoff', [1000, 2000, 4000, 5000, 5000]],
  ] as const;
  for (const [policy, expected] of patterns) {
    it(`pauses as ${policy} says and never gives up`, async () => {
      const { clock, told, state, taken, add, pause } = stage(policy);
      add(1);
      for (const milliseconds of expected) {
        assert.equal(await pause(), milliseconds);
        clock.advance(milliseconds);
      }
      await pause();
      assert.ok(!told.includes('terminate') && !told.includes('suspend'));
      state.takes = true;
      clock.advance(10_000);
      await eventually('the delivery', () => taken.length === 1);
    });
  }

  it('drops the oldest when too many wait, and tells the receiver so', async () => {
    const { clock, told, state, taken, add, pause } = stage('RetryForever');
    add(1);
    await pause();
    for (const id of [2, 3, 4, 5, 6]) add(id);
    assert.equal(told.filter((one) => one === 'overflow').length, 1);
    state.takes = true;
    clock.advance(1000);
    await eventually('five deliveries', () => taken.length === 5);
    assert.deepEqual(taken, [
      '1 ResourceChanged',
      '3 EventBufferExceeded',
      '4 ResourceChanged',
      '5 ResourceChanged',
      '6 ResourceChanged',
    ]);
  });

  it('goes on when it is resumed before the attempt under way has ended', async () => {
    const { state, taken, queue, add, pause } = stage('RetryForever');
    add(1);
    await pause();
    state.takes = true;
    queue.suspend();
    queue.resume(Number.POSITIVE_INFINITY);
    await eventually('the delivery', () => taken.length === 1);
  });
});
