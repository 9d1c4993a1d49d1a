import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressGroup } from '../../../src/core/client-address.ts';
import { FairQueue } from '../../../src/core/fair-queue.ts';
import { FailedLogins } from '../../../src/identity/accounts/failed-logins.ts';

const usual = { threshold: 3, lockSeconds: 60, resetSeconds: 30, resetEnabled: true };

function guesses(rules = usual, perAddress = 1000, entries = 50) {
  const clock = { now: 0 };
  const failures = new FailedLogins(
    () => rules,
    { entries, perAddress },
    () => clock.now,
  );
  const fail = (times: number, name = 'admin', address = 'evil') => {
    for (let count = 0; count < times; count += 1) failures.failed(name, address);
  };
  return { clock, failures, fail };
}

describe('failed logins', () => {
  it('lock the guessing address out of the account, and nobody else', () => {
    const { clock, failures, fail } = guesses();
    fail(2);
    assert.equal(failures.isLocked('admin', 'evil'), false);
    fail(1);
    assert.equal(failures.isLocked('admin', 'evil'), true);
    assert.equal(failures.isLocked('admin', 'good'), false);
    assert.equal(failures.isLocked('other', 'evil'), false);
    assert.equal(failures.isAccountLocked('admin'), true);
    clock.now = 60_000;
    assert.equal(failures.isLocked('admin', 'evil'), false);
    fail(1);
    assert.equal(failures.isLocked('admin', 'evil'), false);
  });

  it('are forgotten after a success, after their time, and when an administrator says so', () => {
    const { clock, failures, fail } = guesses();
    fail(2);
    failures.succeeded('admin', 'evil');
    fail(2);
    clock.now = 30_000;
    fail(2);
    assert.equal(failures.isLocked('admin', 'evil'), false);
    fail(1);
    failures.unlock('admin');
    assert.equal(failures.isLocked('admin', 'evil'), false);
  });

  it('never age without the reset, and never lock with a threshold or duration of 0', () => {
    const forever = guesses({ ...usual, resetEnabled: false });
    forever.fail(3);
    forever.clock.now = 1e12;
    assert.equal(forever.failures.isLocked('admin', 'evil'), true);
    for (const none of [{ threshold: 0 }, { lockSeconds: 0 }]) {
      const { failures, fail } = guesses({ ...usual, ...none });
      fail(20);
      assert.equal(failures.isLocked('admin', 'evil'), false);
    }
  });

  it('of one address with many names make it wait, longer each time', () => {
    const { clock, failures, fail } = guesses(usual, 5);
    for (let count = 0; count < 5; count += 1) fail(1, `name${count}`);
    assert.equal(failures.isLocked('fresh', 'evil'), true);
    clock.now = 1000;
    assert.equal(failures.isLocked('fresh', 'evil'), false);
    fail(1, 'next');
    clock.now = 2999;
    assert.equal(failures.isLocked('fresh', 'evil'), true);
    assert.equal(failures.isLocked('fresh', 'good'), false);
  });

  it('take no more memory however many names and addresses there are', () => {
    const { failures, fail } = guesses();
    fail(3, 'admin', 'first');
    for (let count = 0; count < 500; count += 1) fail(1, `n${count}`.repeat(50), `a${count}`);
    assert.ok(failures.size <= 50);
    assert.equal(failures.isLocked('admin', 'first'), true);
  });
});

describe('the address of a client', () => {
  const cases = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff::2', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ] as const;
  for (const [address, group] of cases) {
    it(`${address || 'unknown'} counts as ${group || 'unknown'}`, () => {
      assert.equal(addressGroup(address), group);
    });
  }
});

describe('the queue of logins', () => {
  it('lets addresses take turns, and a flood give way', async () => {
    const queue = new FairQueue(4);
    const order: string[] = [];
    const take = (address: string) =>
      queue
        .take(address, async () => void order.push(address))
        .then(
          () => 'done',
          (error: Error) => error.name,
        );
    const flood = Array.from({ length: 8 }, () => take('evil'));
    const others = [take('good'), take('fine')];
    assert.deepEqual(await Promise.all(others), ['done', 'done']);
    const refused = (await Promise.all(flood)).filter((name) => name === 'QueueFull');
    assert.ok(refused.length >= 5, `${refused.length} refused`);
    assert.ok(order.indexOf('fine') <= 4, order.join());
  });

  it('lets an address that has not failed go before those that have, however many they are', async () => {
    const queue = new FairQueue(4, (address) => (address.startsWith('evil') ? 1 : 0));
    const order: string[] = [];
    const take = (address: string) =>
      queue
        .take(address, async () => void order.push(address))
        .then(
          () => 'done',
          (error: Error) => error.name,
        );
    const flood = Array.from({ length: 30 }, (_, at) => take(`evil ${at}`));
    assert.equal(await take('good'), 'done');
    assert.deepEqual(order.slice(0, 2), ['evil 0', 'good']);
    const outcomes = await Promise.all(flood);
    assert.equal(outcomes.filter((one) => one === 'done').length, order.length - 1);
    assert.equal(await take('evil again'), 'done', 'nobody is kept out for ever');
  });

  it('takes no place from an address that has failed less', async () => {
    const failures: Readonly<Record<string, number>> = { once: 1, twice: 2 };
    const queue = new FairQueue(1, (address) => failures[address] ?? 0);
    const run = queue.take('none', async () => undefined);
    const waits = queue.take('once', async () => 'checked');
    await assert.rejects(
      queue.take('twice', async () => undefined),
      { name: 'QueueFull' },
    );
    await run;
    assert.equal(await waits, 'checked');
  });
});
