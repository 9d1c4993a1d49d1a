import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { nameLookup } from '../../src/outbound/name-lookup.ts';
import { push } from '../../src/outbound/push-request.ts';
import { failsOnDisk } from '../fakes/moody-disk.ts';
import {
  type NameAnswer,
  type NameServer,
  startNameServer,
} from '../redfish/events/name-server.ts';
import { startReceiver } from '../redfish/events/receivers.ts';

const v4 = (address: string) => ({ address, family: 4 });

describe('the name of a receiver', () => {
  const servers: NameServer[] = [];
  let directory: string;
  let hosts: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'names-'));
    hosts = join(directory, 'hosts');
    writeHosts();
  });
  after(() => rmSync(directory, { recursive: true }));
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  function writeHosts() {
    const lines = [
      '127.0.0.1 localhost # good.test is no comment',
      '192.0.2.1\tGood.test good',
      '2001:db8::1 good.test',
      'nonsense good.test',
      '192.0.2.9 other.good.test #192.0.2.8 good.test',
    ];
    writeFileSync(hosts, lines.join('\n'));
  }

  async function stage(answer: (name: string, family: 4 | 6) => NameAnswer) {
    const server = await startNameServer(answer);
    servers.push(server);
    const asked: string[] = [];
    const system = async (name: string) => {
      asked.push(name);
      return [v4('192.0.2.99')];
    };
    const lookUp = nameLookup({ hosts, servers: [server.address], system });
    const find = (name: string, milliseconds = 20_000, { signal } = new AbortController()) =>
      lookUp(name, { milliseconds, signal });
    return { find, lookUp, asked, questions: server.questions };
  }

  it('is what the file of hosts says, whatever DNS would say', async () => {
    const { find, questions, asked } = await stage(() => ['192.0.2.66']);
    const listed = [v4('192.0.2.1'), { address: '2001:db8::1', family: 6 }];
    for (const name of ['good.test', 'GOOD.test.']) assert.deepEqual(await find(name), listed);
    assert.deepEqual(await find('good'), [v4('192.0.2.1')]);
    assert.deepEqual([questions, asked], [[], []]);
  });

  it('is asked of nobody while the file of hosts cannot be read, and of others where there is none', async () => {
    const { find, asked, questions } = await stage(() => ['192.0.2.4']);
    const heal = failsOnDisk('readFile', 'EMFILE');
    try {
      await assert.rejects(find('good.test'), { name: 'NotSentYet' });
    } finally {
      heal();
    }
    assert.deepEqual([asked, questions], [[], []]);
    rmSync(hosts);
    try {
      assert.deepEqual(await find('single'), [v4('192.0.2.99')]);
    } finally {
      writeHosts();
    }
  });

  it('is what DNS says in both families', async () => {
    const { find, asked } = await stage((_, family) =>
      family === 6 ? ['::6'] : ['192.0.2.4', '192.0.2.5'],
    );
    const found = [{ address: '::6', family: 6 }, v4('192.0.2.4'), v4('192.0.2.5')];
    assert.deepEqual(await find('both.test'), found);
    assert.deepEqual(asked, []);
  });

  it('is found in one family though its server never answers for the other', async () => {
    const { find } = await stage((_, family) => (family === 6 ? undefined : ['192.0.2.4']));
    assert.deepEqual(await find('half.test'), [v4('192.0.2.4')]);
  });

  it('is what the system says when DNS does not know it, or is not for it', async () => {
    const { find, asked, questions } = await stage(() => 'unknown');
    for (const name of ['nowhere.test', 'single', 'printer.local']) {
      assert.deepEqual(await find(name), [v4('192.0.2.99')]);
    }
    assert.deepEqual(asked, ['nowhere.test', 'single', 'printer.local']);
    assert.deepEqual(new Set(questions), new Set(['nowhere.test 4', 'nowhere.test 6']));
  });

  it('is what the system says where there is no server of DNS', async () => {
    const gone = await startNameServer(() => undefined);
    await gone.close();
    const lookUp = nameLookup({
      ...{ hosts, servers: [gone.address] },
      system: async () => [v4('192.0.2.99')],
    });
    const limit = { milliseconds: 20_000, signal: new AbortController().signal };
    assert.deepEqual(await lookUp('name.test', limit), [v4('192.0.2.99')]);
  });

  it('is no matter of the system when DNS fails at it or says nothing: a thread would wait for it', async () => {
    const { find, asked } = await stage((name) => (name === 'bad.test' ? 'failure' : undefined));
    await assert.rejects(find('bad.test'), /ESERVFAIL/);
    await assert.rejects(find('dead.test', 200), /not found in time/);
    assert.deepEqual(asked, []);
  });

  it('is looked up no longer when the attempt is called off, and leaves nothing with its signal', async () => {
    const { find } = await stage(() => undefined);
    const calling = new AbortController();
    const ended = assert.rejects(find('dead.test', 20_000, calling), { name: 'AbortError' });
    await assert.rejects(find('dead.test', 50, calling), /in time/);
    calling.abort();
    await ended;
    assert.deepEqual(getEventListeners(calling.signal, 'abort'), []);
    await assert.rejects(find('dead.test', 20_000, calling), { name: 'AbortError' });
  });

  it('leads to its receiver at once, however many others nobody answers for', async () => {
    const { lookUp, questions } = await stage((name, family) => {
      if (name !== 'known.test') return undefined;
      return family === 4 ? ['127.0.0.1'] : [];
    });
    const limits = {
      ...{ allowLoopback: true, allowLinkLocal: false },
      ...{ deliveryMilliseconds: 60_000, responseBytes: 1000 },
    };
    const receiver = await startReceiver();
    const calling = new AbortController();
    const send = (name: string) => {
      const url = new URL(`http://${name}:${receiver.port}/`);
      return push({ url, headers: [] }, '{}', limits, calling.signal, lookUp);
    };
    try {
      let ended = 0;
      const dead = Array.from({ length: 50 }, (_, at) =>
        send(`n${at}.dead.test`).finally(() => {
          ended += 1;
        }),
      );
      const outcomes = Promise.allSettled(dead);
      assert.equal(await send('known.test'), 204);
      assert.equal(ended, 0);
      assert.ok(new Set(questions).size > 50);
      calling.abort();
      for (const { status } of await outcomes) assert.equal(status, 'rejected');
    } finally {
      receiver.close();
    }
  });
});
