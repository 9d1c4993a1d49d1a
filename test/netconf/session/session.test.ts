import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { IdentityError } from '../../../src/identity/identity-error.ts';
import { baseNamespace } from '../../../src/netconf/rpc/base-namespace.ts';
import type { Operation } from '../../../src/netconf/rpc/operation.ts';
import { element } from '../../../src/netconf/xml/element.ts';
import { chunk, hello, identityOf, rpc, sessionWorld } from './session-world.ts';

const echoName = '{urn:test}echo';
const echo: Operation = async ({ text }) => [element('urn:test', 'echoed', text)];
const operations = new Map([[echoName, echo]]);

function echoed(id: number, text: string): string {
  return rpc(id, `<echo xmlns="urn:test">${text}</echo>`);
}

/** An operation that waits until it is let go. */
function gate() {
  const begun: string[] = [];
  const waiting: (() => void)[] = [];
  let tell = () => {};
  const hold: Operation = async ({ text }) => {
    begun.push(text);
    tell();
    await new Promise<void>((resolve) => waiting.push(resolve));
    return [];
  };
  return {
    operations: new Map([[echoName, hold]]),
    begun,
    async untilBegun(count: number) {
      while (begun.length < count)
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
    },
    letGo: () => waiting.shift()?.(),
  };
}

describe('a session', () => {
  it('tells the user in a comment, and then its id and capabilities', async (t) => {
    const world = await sessionWorld(t, { userName: 'svc--backup', capabilities: ['urn:a?b&c'] });
    const client = await world.dial();
    assert.equal(
      await client.receive(/]]>]]>/),
      `<!-- user svc- -backup -->\n<hello xmlns="${baseNamespace}"><capabilities><capability>urn:a?b&amp;c</capability></capabilities><session-id>1</session-id></hello>]]>]]>`,
    );
  });

  it('ends the hello by its delimiter although the client has announced chunks already', async (t) => {
    const world = await sessionWorld(t, {
      operations,
      beforeStart: async (socket) => void (await once(socket, 'readable')),
    });
    const client = await world.dial();
    client.write(hello('1.0', '1.1') + chunk(echoed(1, 'early')));
    assert.match(
      await client.receive(/<\/hello>.*?\n##\n/s),
      /<\/hello>]]>]]>\n#\d+\n<rpc-reply.*early/,
    );
  });

  const bases = [
    ['base:1.0', ['1.0'], '<rpc-reply xmlns="'],
    ['base:1.1', ['1.1'], '\n#'],
    ['both', ['1.0', '1.1'], '\n#'],
  ] as const;
  for (const [what, versions, beginning] of bases)
    it(`speaks with a client that has ${what}`, async (t) => {
      const world = await sessionWorld(t, { operations });
      const client = await world.dial();
      await client.receive(/]]>]]>/);
      client.write(hello(...versions));
      const is11 = beginning !== '<rpc-reply xmlns="';
      for (const id of [1, 2])
        client.write(is11 ? chunk(echoed(id, 'x')) : `${echoed(id, 'x')}]]>]]>`);
      const end = is11 ? /\n##\n/ : /]]>]]>/;
      assert.ok((await client.receive(end)).startsWith(beginning));
      assert.match(await client.receive(end), /message-id="2"><echoed xmlns="urn:test">x</);
    });

  it('ends messages by delimiters where it does not announce base:1.1 itself', async (t) => {
    const capabilities = ['urn:ietf:params:netconf:base:1.0'];
    const world = await sessionWorld(t, { operations, capabilities });
    const client = await world.dial();
    client.write(`${hello('1.0', '1.1')}${echoed(1, 'x')}]]>]]>`);
    assert.match(await client.receive(/rpc-reply>]]>]]>/), /echoed/);
  });

  it('returns all attributes and namespaces of <rpc> in its reply', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    const names = `xmlns:nc="${baseNamespace}" xmlns="urn:default" xmlns:ex="urn:ex"`;
    client.write(
      `${hello('1.0')}<nc:rpc ${names} message-id="a&lt;b" ex:user="fred"><echo xmlns="urn:test"/></nc:rpc>]]>]]>`,
    );
    await client.receive(/]]>]]>/);
    assert.equal(
      await client.receive(/]]>]]>/),
      `<nc:rpc-reply ${names} message-id="a&lt;b" ex:user="fred"><echoed xmlns="urn:test"/></nc:rpc-reply>]]>]]>`,
    );
  });

  it('does one request after another, and answers in order', async (t) => {
    const { operations, begun, untilBegun, letGo } = gate();
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    client.write(`${hello('1.1')}${chunk(echoed(1, 'a'))}${chunk(echoed(2, 'b'))}`);
    await untilBegun(1);
    await turn();
    assert.deepEqual(begun, ['a']);
    letGo();
    assert.match(await client.receive(/rpc-reply>/), /message-id="1"><ok\/>/);
    await untilBegun(2);
    letGo();
    assert.match(await client.receive(/rpc-reply>/), /message-id="2"><ok\/>/);
  });

  it('reads no more of a client while its request is at work than fits into a buffer', async (t) => {
    const { operations, untilBegun, letGo } = gate();
    const world = await sessionWorld(t, { operations });
    let given = 0;
    let isStopped = false;
    const pieces = [hello('1.1')];
    const stream = new Duplex({
      read() {
        const piece = pieces.shift() ?? chunk(echoed(1, 'x'.repeat(1000)));
        given += piece.length;
        this.push(isStopped ? null : piece);
      },
      write: (_chunk, _encoding, done) => done(),
    });
    t.after(() => stream.destroy());
    const end = world.run(stream);
    await untilBegun(1);
    for (let turns = 0; turns < 100; turns += 1) await turn();
    assert.ok(given < 200_000, `${given} bytes`);
    isStopped = true;
    const { signal } = world.sessions.list()[0] ?? {};
    world.sessions.terminate(1, 'other');
    letGo();
    assert.equal(await end, 'other');
    assert.equal(signal?.aborted, true);
  });

  it('answers all that was asked before the client ended its side', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    client.socket.end(`${hello('1.0')}${echoed(1, 'a')}]]>]]>${echoed(2, 'b')}]]>]]>`);
    assert.match(await client.rest(), /message-id="1".*message-id="2".*b<\/echoed>/s);
    assert.deepEqual(
      world.ends.map(({ reason }) => reason),
      ['dropped'],
    );
  });

  it('takes answers of any size to a client that reads slowly', async (t) => {
    const size = 5_000_000;
    const world = await sessionWorld(t, {
      operations: new Map([[echoName, async () => [element('urn:test', 'big', 'x'.repeat(size))]]]),
    });
    const client = await world.dial();
    client.socket.pause();
    client.write(hello('1.1') + chunk(echoed(1, '')) + chunk(rpc(2, '<close-session/>')));
    client.socket.resume();
    const received = await client.rest();
    assert.ok(received.length > size);
    assert.match(received.slice(-200), /message-id="2"><ok\/>/);
  });

  const badHellos: [string, string, RegExp][] = [
    [
      'a session id',
      hello('1.0').replace('</hello>', '<session-id>1</session-id></hello>'),
      /session-id/,
    ],
    ['no base', hello(), /neither base:1.0 nor base:1.1/],
    ['no capabilities', `<hello xmlns="${baseNamespace}"/>]]>]]>`, /capabilities/],
    ['another namespace', '<hello xmlns="urn:x"/>]]>]]>', /no <hello>/],
    ['a request instead', `${rpc(1, '<close-session/>')}]]>]]>`, /no <hello> but <rpc>/],
    ['no XML', 'hello]]>]]>', /no XML/],
  ];
  for (const [what, text, detail] of badHellos)
    it(`ends without an answer after a hello with ${what}`, async (t) => {
      const world = await sessionWorld(t);
      const client = await world.dial();
      await client.receive(/]]>]]>/);
      client.write(text);
      assert.equal(await client.rest(), '');
      assert.deepEqual(
        world.ends.map(({ reason }) => reason),
        ['bad-hello'],
      );
      assert.match(world.lines.join('\n'), detail);
      assert.equal(world.sessions.statistics().inBadHellos, 1);
    });

  it('ends without an answer when the framing is broken, and says why in the log', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    await client.receive(/]]>]]>/);
    client.write(`${hello('1.1')}${echoed(1, 'x')}]]>]]>`);
    assert.equal(await client.rest(), '');
    assert.match(
      world.lines.join('\n'),
      /session of NETCONF ended .*reason=other detail=the header of a chunk is malformed/,
    );
  });

  it('ends when a message is too long', async (t) => {
    const message = { bytes: 1000, elements: 10, depth: 10, attributes: 10, nameLength: 100 };
    const world = await sessionWorld(t, { operations, limits: { message } });
    const client = await world.dial();
    await client.receive(/]]>]]>/);
    client.write(`${hello('1.0')}${echoed(1, 'x'.repeat(1001))}]]>]]>`);
    assert.equal(await client.rest(), '');
    assert.match(world.lines.join('\n'), /more than 1000 bytes/);
  });

  it('ends when the hello of the client does not come in time', async (t) => {
    const world = await sessionWorld(t, { limits: { helloMilliseconds: 20 } });
    const client = await world.dial();
    await client.receive(/]]>]]>/);
    client.write('<hello');
    assert.equal(await client.rest(), '');
    assert.deepEqual(
      world.ends.map(({ reason }) => reason),
      ['timeout'],
    );
  });

  it('ends when no whole message comes for longer than it may be idle', async (t) => {
    const world = await sessionWorld(t, { operations, limits: { idleMilliseconds: 20 } });
    const client = await world.dial();
    client.write(`${hello('1.0')}<rpc`);
    await client.rest();
    assert.deepEqual(
      world.ends.map(({ reason }) => reason),
      ['timeout'],
    );
  });

  it('is not idle while a request is at work', async (t) => {
    const { operations, untilBegun, letGo } = gate();
    const world = await sessionWorld(t, { operations, limits: { idleMilliseconds: 20 } });
    // All comes in one piece, so that nothing but the operation can take longer
    const text = `${hello('1.0')}${echoed(1, '')}]]>]]>${rpc(2, '<close-session/>')}]]>]]>`;
    const client = await world.dial();
    client.write(text);
    await untilBegun(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    letGo();
    assert.match(await client.rest(), /message-id="1"><ok\/>.*message-id="2"><ok\/>/s);
    assert.deepEqual(
      world.ends.map(({ reason }) => reason),
      ['closed'],
    );
  });

  it('drops a client that does not end its side of a session that is over', async (t) => {
    const world = await sessionWorld(t, { limits: { closeMilliseconds: 20 } });
    const client = await world.dial();
    client.write(`${hello('1.0')}${rpc(1, '<close-session/>')}]]>]]>`);
    await client.receive(/<ok\/>/);
    await client.rest();
    while (!client.socket.destroyed) {
      client.write('x');
      await turn();
    }
  });

  it('answers close-session, then nothing more, and ends the connection', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    await client.receive(/]]>]]>/);
    client.write(hello('1.1') + chunk(rpc(1, '<close-session/>')) + chunk(echoed(2, 'x')));
    assert.match(
      await client.rest(),
      /^\n#\d+\n<rpc-reply [^>]*message-id="1"><ok\/><\/rpc-reply>\n##\n$/,
    );
    assert.deepEqual(
      world.ends.map(({ reason }) => reason),
      ['closed'],
    );
    assert.deepEqual(world.sessions.list(), []);
  });

  it('tells an operation that its client has gone', async (t) => {
    let tell = (_reason: unknown) => {};
    const told = new Promise((resolve) => {
      tell = resolve;
    });
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const wait: Operation = async (_request, { signal }) => {
      signal.addEventListener('abort', () => tell(signal.reason));
      begin();
      await told;
      return [];
    };
    const world = await sessionWorld(t, { operations: new Map([[echoName, wait]]) });
    const client = await world.dial();
    client.write(`${hello('1.0')}${echoed(1, '')}]]>]]>`);
    await begun;
    client.socket.resetAndDestroy();
    assert.equal(await told, 'dropped');
  });

  it('counts requests, and those that were wrong, for each session and for all', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    client.write(
      `${hello('1.0')}${echoed(1, '')}]]>]]>${rpc(2, '<no xmlns="urn:test"/>')}]]>]]><x]]>]]>`,
    );
    for (let replies = 0; replies < 3; replies += 1) await client.receive(/rpc-reply>/);
    const counters = { inRpcs: 2, inBadRpcs: 1, outRpcErrors: 2 };
    assert.deepEqual(world.sessions.list()[0]?.counters, counters);
    const { startTime, ...statistics } = world.sessions.statistics();
    assert.deepEqual(statistics, {
      inSessions: 1,
      inBadHellos: 0,
      droppedSessions: 0,
      ...counters,
    });
  });

  const kill = (id: number, session: string) =>
    `${rpc(id, `<kill-session>${session}</kill-session>`)}]]>]]>`;
  const killOf = (id: number, session: number) => kill(id, `<session-id>${session}</session-id>`);

  it('ends another session for an administrator, whose locks are gone when that is answered', async (t) => {
    const { operations, untilBegun, letGo } = gate();
    const world = await sessionWorld(t, { operations });
    const victim = await world.dial();
    victim.write(`${hello('1.0')}${echoed(1, 'x')}]]>]]>`);
    await untilBegun(1);
    const [{ id, signal } = {}] = world.sessions.list();
    signal?.addEventListener('abort', letGo);
    const killer = await world.dial();
    killer.write(`${hello('1.0')}${killOf(1, id ?? 0)}`);
    await killer.receive(/<ok\/>/);
    assert.deepEqual(
      world.ends.map(({ session, reason, killedBy }) => [session.id, reason, killedBy]),
      [[1, 'killed', 2]],
    );
    assert.doesNotMatch(await victim.rest(), /rpc-reply/);
  });

  it('ends no other session for anybody else', async (t) => {
    const world = await sessionWorld(t, { current: async () => identityOf('Operator') });
    const other = await world.dial();
    await other.receive(/]]>]]>/);
    const client = await world.dial();
    client.write(hello('1.0') + killOf(1, 1));
    assert.match(await client.receive(/rpc-reply>/), /access-denied/);
    assert.equal(world.sessions.list().length, 2);
  });

  const badKills: [string, string, string][] = [
    ['itself', '<session-id>1</session-id>', 'invalid-value'],
    ['a session that is not there', '<session-id>77</session-id>', 'invalid-value'],
    ['0', '<session-id>0</session-id>', 'invalid-value'],
    ['a name', '<session-id>alice</session-id>', 'invalid-value'],
    ['nothing', '', 'missing-element'],
    ['something else', '<user>alice</user>', 'unknown-element'],
  ];
  for (const [what, content, tag] of badKills)
    it(`refuses to kill ${what}`, async (t) => {
      const world = await sessionWorld(t);
      const client = await world.dial();
      client.write(hello('1.0') + kill(1, content));
      assert.match(await client.receive(/rpc-reply>/), new RegExp(`<error-tag>${tag}<`));
      assert.equal(world.sessions.list().length, 1);
    });

  it('ends both of two sessions that kill each other', async (t) => {
    let asked = 0;
    let open = () => {};
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    const world = await sessionWorld(t, {
      // Neither is done before the other has begun
      current: async () => {
        asked += 1;
        if (asked === 2) open();
        await both;
        return identityOf('Administrator');
      },
    });
    const [one, two] = [await world.dial(), await world.dial()];
    one.write(hello('1.0') + killOf(1, 2));
    two.write(hello('1.0') + killOf(1, 1));
    await Promise.all([one.rest(), two.rest()]);
    assert.deepEqual(
      world.ends.map(({ reason }) => reason),
      ['killed', 'killed'],
    );
  });

  it('says that it cannot judge the caller now, where the accounts are away', async (t) => {
    const current = async () => {
      throw new IdentityError('unavailable');
    };
    const world = await sessionWorld(t, { current });
    const client = await world.dial();
    client.write(hello('1.0') + killOf(1, 2));
    assert.match(await client.receive(/rpc-reply>/), /resource-denied/);
  });

  it('has an id that no other session has', async (t) => {
    const world = await sessionWorld(t);
    const greeting = async () => {
      const client = await world.dial();
      const text = await client.receive(/]]>]]>/);
      return { client, id: /<session-id>(\d+)</.exec(text)?.[1] };
    };
    const [first, second] = [await greeting(), await greeting()];
    first.client.write(`${hello('1.0')}${rpc(1, '<close-session/>')}]]>]]>`);
    await first.client.rest();
    const third = await greeting();
    assert.deepEqual([first.id, second.id, third.id], ['1', '2', '3']);
  });
});
