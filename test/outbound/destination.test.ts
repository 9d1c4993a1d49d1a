import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { mayConnect, mayReach } from '../../src/outbound/address-policy.ts';
import {
  checkDestination,
  parseDestination,
  reachableAddresses,
} from '../../src/outbound/destination.ts';
import { nameLookup } from '../../src/outbound/name-lookup.ts';
import { isOwnAddress } from '../../src/outbound/own-address.ts';
import { sendRequest } from '../../src/outbound/request.ts';
import { RequestDeferred } from '../../src/outbound/request-deferred.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';
import { type ReceiverShape, startReceiver } from '../redfish/events/receivers.ts';

const nothing = { allowLoopback: false, allowLinkLocal: false };
const limits = { ...nothing, milliseconds: 5000, responseBytes: 1000 };
const open = { ...limits, allowLoopback: true };

const send = (url: URL, given: typeof limits, lookUp = nameLookup()) => {
  const request = { method: 'POST', url, headers: {}, body: '{}' };
  return sendRequest(request, given, lookUp, new AbortController().signal);
};

async function sendTo(host: string, given: typeof limits, shape: ReceiverShape = {}) {
  const receiver = await startReceiver(shape);
  try {
    const url = parseDestination(`http://${host}:${receiver.port}/`, open);
    const { status } = await send(url, given);
    return { status, requests: receiver.requests.length };
  } finally {
    receiver.close();
  }
}

describe('a destination', () => {
  const verdicts: readonly (readonly [string, boolean, boolean, boolean])[] = [
    ['192.168.1.50', true, true, true],
    ['2001:db8::1', true, true, true],
    ['127.9.9.9', false, true, false],
    ['::1', false, true, false],
    ['::', false, true, false],
    ['::ffff:127.0.0.1', false, true, false],
    ['::ffff:7f00:1', false, true, false],
    ['::127.0.0.1', false, false, false],
    ['::ffff:0:127.0.0.1', false, false, false],
    ['64:ff9b::127.0.0.1', false, true, false],
    ['0064:FF9B:0:0:0:0:7f00:0001', false, true, false],
    ['2002:7f00:1::', false, false, false],
    ['64:ff9b::169.254.169.254', false, false, true],
    ['::169.254.1.1%eth0', false, false, false],
    ['64:ff9b::255.255.255.255', false, false, false],
    ['::224.0.0.1', false, false, false],
    ['64:ff9b::192.0.2.1', true, true, true],
    ['::ffff:192.168.1.50', true, true, true],
    ['64:ff9b::', false, true, false],
    ['64:ff9b::0.0.0.5', false, true, false],
    ['64:ff9b::a9fe:0', false, false, true],
    ['64:ff9b::1:0:0', false, false, false],
    ['2002:c000:201::', false, false, false],
    ['fd00::7f00:1', true, true, true],
    ['100::1', false, false, false],
    ['2001:db8::7f00:1', true, true, true],
    ['64:ff9c::7f00:1', false, false, false],
    ['64:ff9b:1::127.0.0.1', false, false, false],
    ['64:ff9b:1:7f00:0:100::', false, false, false],
    ['64:ff9b:1:7f:0:1::', false, false, false],
    ['64:ff9b:1:0:7f:0:100:0', false, false, false],
    ['64:ff9b:1::169.254.169.254', false, false, false],
    ['64:ff9b:1::192.0.2.1', false, false, false],
    ['64:ff9b:1:c000:2:100::', false, false, false],
    ['2001:0:7f00:1::', false, false, false],
    ['2001:0:7f00:1::3fff:fdfe', false, false, false],
    ['2001:0:c000:201::80ff:fffe', false, false, false],
    ['2001:0:c000:201::3fff:fdfe', false, false, false],
    ['2001:1::7f00:1', true, true, true],
    ['fec0::1', false, false, true],
    ['feff::1', false, false, true],
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

  // It compares as `isOwnAddress` does, in whichever notation
  const ownList = new BlockList();
  ownList.addAddress('192.0.2.2', 'ipv4');
  ownList.addAddress('2001:db8::2', 'ipv6');
  const own = async (address: string) => ownList.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  for (const address of ['192.0.2.2', '2001:db8::2', '::ffff:192.0.2.2', '64:ff9b::192.0.2.2']) {
    it(`is not reached at ${address} while that is an address of the machine itself`, async () => {
      assert.equal(await mayReach(address, nothing, own), false);
      assert.equal(await mayReach(address, { ...nothing, allowLinkLocal: true }, own), false);
      assert.equal(await mayReach(address, { ...nothing, allowLoopback: true }, own), true);
      assert.equal(await mayReach(address, nothing, async () => false), true);
    });
  }

  const here = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).map((one) => ({ ...one, name })),
  );
  for (const { name, address, scopeid, family } of here) {
    it(`is known for one of the machine's own at its address ${address}`, async () => {
      const zone = scopeid ? `%${name}` : '';
      assert.equal(await isOwnAddress(`${address}${zone}`), true);
      if (family === 'IPv4') assert.equal(await isOwnAddress(`::ffff:${address}`), true);
    });
  }

  for (const address of ['192.0.2.77', '2001:db8::77', '255.255.255.255', 'fe80::77']) {
    it(`is none of the machine's own at ${address}, even where no way leads there`, async () => {
      assert.equal(await isOwnAddress(address), false);
    });
  }

  it('is neither the own one nor another while the system does not tell', () => {
    // With as many descriptors as a process needs to begin, and then none
    const script = `
      import { openSync, closeSync } from 'node:fs';
      import { isOwnAddress } from ${quotedSource('outbound/own-address.ts')};
      const verdict = (address) =>
        isOwnAddress(address).catch((error) => error.name + ' ' + error.cause.code);
      const taken = [];
      try {
        for (;;) taken.push(openSync('/dev/null'));
      } catch {}
      const without = [await verdict('127.0.0.1'), await verdict('::1')];
      for (const one of taken) closeSync(one);
      console.log(JSON.stringify([...without, await verdict('127.0.0.1')]));`;
    const shell = ['-c', 'ulimit -n 100 && exec "$0" "$@"', ...typescriptProgram(script)];
    const { stdout, stderr } = spawnSync('sh', shell, { encoding: 'utf8' });
    assert.equal(stdout.trim(), '["RequestDeferred EMFILE","RequestDeferred EMFILE",true]', stderr);
  });

  it('that cannot be told from the own one is not sent to, and that is no failure of the receiver', async () => {
    const found = async () => ['192.0.2.1', '192.0.2.2'].map((address) => ({ address, family: 4 }));
    const untold = async (address: string) => {
      if (address === '192.0.2.2') throw new RequestDeferred('cannot be checked');
      return false;
    };
    await assert.rejects(reachableAddresses('name.test', nothing, found, untold), {
      name: 'RequestDeferred',
    });
  });

  it('is looked at one address after the other, and at the first sixteen of its name', async () => {
    const found = Array.from({ length: 3000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    let running = 0;
    const looked: string[] = [];
    const isOwnOf = async (address: string) => {
      looked.push(address);
      running += 1;
      assert.equal(running, 1);
      await new Promise(setImmediate);
      running -= 1;
      return address === '10.0.0.3';
    };
    const lookUp = async () => found.map((address) => ({ address, family: 4 }));
    const reachable = await reachableAddresses('many.test', nothing, lookUp, isOwnOf);
    assert.deepEqual(looked, found.slice(0, 16));
    assert.deepEqual(
      reachable.map(({ address }) => address),
      looked.filter((address) => address !== '10.0.0.3'),
    );
  });

  // There may be none
  const outer = here.filter(({ internal, scopeid }) => !internal && !scopeid);
  for (const { address, family } of outer) {
    it(`is refused when it is taken, looked up and sent to at the machine's address ${address}`, async () => {
      const host = family === 'IPv6' ? `[${address}]` : address;
      const url = new URL(`http://${host}:9/`);
      await assert.rejects(checkDestination(url.href, nothing), /not be sent/);
      await checkDestination(url.href, open);
      await assert.rejects(send(url, limits), /not be sent/);
      const found = async () => [{ address, family: family === 'IPv6' ? 6 : 4 }];
      await assert.rejects(reachableAddresses('name.test', nothing, found), /not be sent/);
      await assert.rejects(reachableAddresses(address, nothing, found), /not be sent/);
    });
  }

  for (const host of ['127.0.0.1', 'localhost']) {
    it(`is judged again by its address when something is sent to ${host}`, async () => {
      assert.deepEqual(await sendTo(host, open), { status: 204, requests: 1 });
      await assert.rejects(sendTo(host, limits), /not be sent/);
    });
  }

  it('is asked at the address that was judged, whatever its name leads to a moment later', async () => {
    const receiver = await startReceiver();
    try {
      const answers = ['127.0.0.1', '127.0.0.2', '192.0.2.1'];
      const asked: string[] = [];
      const lookUp = async (name: string) => {
        asked.push(name);
        return [{ address: answers[asked.length - 1] ?? '', family: 4 }];
      };
      const url = new URL(`http://rebound.test:${receiver.port}/`);
      assert.equal((await send(url, open, lookUp)).status, 204);
      assert.deepEqual(asked, ['rebound.test']);
      assert.equal(receiver.requests[0]?.headers.host, url.host);
    } finally {
      receiver.close();
    }
  });

  it('is asked at none of the addresses of its name that are refused', async () => {
    const found = ['224.0.0.1', '127.0.0.1', '169.254.1.1', '192.0.2.7'];
    const lookUp = async () => found.map((address) => ({ address, family: 4 }));
    const outside = [{ address: '192.0.2.7', family: 4 }];
    assert.deepEqual(await reachableAddresses('many.test', nothing, lookUp), outside);
    const none = async () => [{ address: '224.0.0.1', family: 4 }];
    await assert.rejects(reachableAddresses('none.test', open, none), /not be sent/);
  });

  it('has a limited time to answer', async () => {
    await assert.rejects(
      sendTo('127.0.0.1', { ...open, milliseconds: 300 }, { status: () => 0 }),
      /in time/,
    );
  });

  it('is read no further than the limit, whatever it answers', async () => {
    const body = 'x'.repeat(10_000_000);
    const { status } = await sendTo('127.0.0.1', open, { body });
    assert.equal(status, 200);
  });
});
