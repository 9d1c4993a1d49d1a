import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayConnect, parseDestination } from '../../../src/redfish/events/destination.ts';
import { push } from '../../../src/redfish/events/push-request.ts';
import { type ReceiverShape, startReceiver } from './receivers.ts';

const nothing = { allowLoopback: false, allowLinkLocal: false };
const limits = { ...nothing, deliveryMilliseconds: 300, responseBytes: 1000 };
const open = { ...limits, allowLoopback: true };

async function pushTo(host: string, given: typeof limits, shape: ReceiverShape = {}) {
  const receiver = await startReceiver(shape);
  try {
    const url = parseDestination(`http://${host}:${receiver.port}/`, open);
    const status = await push({ url, headers: [] }, '{}', given, new AbortController().signal);
    return { status, requests: receiver.requests.length };
  } finally {
    receiver.close();
  }
}

describe('a destination of events', () => {
  const verdicts: readonly (readonly [string, boolean, boolean, boolean])[] = [
    ['192.168.1.50', true, true, true],
    ['2001:db8::1', true, true, true],
    ['127.9.9.9', false, true, false],
    ['::1', false, true, false],
    ['::', false, true, false],
    ['::ffff:127.0.0.1', false, true, false],
    ['::ffff:7f00:1', false, true, false],
    ['::127.0.0.1', false, true, false],
    ['::ffff:0:127.0.0.1', false, true, false],
    ['64:ff9b::127.0.0.1', false, true, false],
    ['0064:FF9B:0:0:0:0:7f00:0001', false, true, false],
    ['2002:7f00:1::', false, true, false],
    ['64:ff9b::169.254.169.254', false, false, true],
    ['::169.254.1.1%eth0', false, false, true],
    ['64:ff9b::255.255.255.255', false, false, false],
    ['::224.0.0.1', false, false, false],
    ['64:ff9b::192.0.2.1', true, true, true],
    ['::ffff:192.168.1.50', true, true, true],
    ['2001:db8::7f00:1', true, true, true],
    ['64:ff9c::7f00:1', true, true, true],
    ['169.254.169.254', false, false, true],
    ['::ffff:169.254.1.1', false, false, true],
    ['fe80::1%eth0', false, false, true],
    ['255.255.255.255', false, false, false],
    ['ff02::1', false, false, false],
  ];
  for (const [address, plain, withLoopback, withLinkLocal] of verdicts) {
    it(`is reached at ${address} only as far as the policy says`, () => {
      assert.equal(mayConnect(address, nothing), plain);
      assert.equal(mayConnect(address, { ...nothing, allowLoopback: true }), withLoopback);
      assert.equal(mayConnect(address, { ...nothing, allowLinkLocal: true }), withLinkLocal);
    });
  }

  for (const host of ['127.0.0.1', 'localhost']) {
    it(`is judged again by its address when something is sent to ${host}`, async () => {
      assert.deepEqual(await pushTo(host, open), { status: 204, requests: 1 });
      await assert.rejects(pushTo(host, limits), /not (be sent|allowed)/);
    });
  }

  it('has a limited time to answer', async () => {
    await assert.rejects(pushTo('127.0.0.1', open, { status: () => 0 }), /in time/);
  });

  it('is read no further than the limit, whatever it answers', async () => {
    const body = 'x'.repeat(10_000_000);
    const { status } = await pushTo('127.0.0.1', { ...open, deliveryMilliseconds: 5000 }, { body });
    assert.equal(status, 200);
  });
});
