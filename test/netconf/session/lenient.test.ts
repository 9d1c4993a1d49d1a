import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseNamespace } from '../../../src/netconf/rpc/base-namespace.ts';
import type { Operation } from '../../../src/netconf/rpc/operation.ts';
import { element } from '../../../src/netconf/xml/element.ts';
import { writeXml } from '../../../src/netconf/xml/write.ts';
import { chunk, hello, rpc, sessionWorld } from './session-world.ts';

/** Gives what was asked, so that a test sees what was understood. */
const getConfig: Operation = async (request) => [
  element(baseNamespace, 'data', writeXml({ ...request, prefixes: {} })),
];
const operations = new Map([[`{${baseNamespace}}get-config`, getConfig]]);

const getConfiguration = '<rpc><get-configuration/></rpc>';
const closeSession = '<rpc><close-session/></rpc>';
const understood = `&lt;get-config xmlns="${baseNamespace}"&gt;&lt;source&gt;&lt;running/&gt;&lt;/source&gt;&lt;/get-config&gt;`;

describe('requests that people type', () => {
  const sessions: [string, string][] = [
    ['behind a hello', `${hello('1.0')}${getConfiguration}\n${closeSession}\n`],
    ['instead of a hello', `${getConfiguration}\n${closeSession}\n`],
    [
      'with line breaks',
      `\n<rpc>\n  <get-configuration/>\n</rpc>\n\n<rpc>\n<close-session/></rpc>`,
    ],
    ['with delimiters', `${getConfiguration}]]>]]>${closeSession}]]>]]>`],
    [
      'as get-config',
      `<rpc><get-config><source><running/></source></get-config></rpc>${closeSession}`,
    ],
    [
      'as the standard has them',
      `${hello('1.0')}${rpc(1, '<get-config><source><running/></source></get-config>')}]]>]]>${rpc(2, '<close-session/>')}]]>]]>`,
    ],
  ];
  for (const [what, text] of sessions)
    it(`are answered where that is on: ${what}`, async (t) => {
      const world = await sessionWorld(t, { operations, lenientInteractive: true });
      const client = await world.dial();
      await client.receive(/]]>]]>/);
      for (const byte of text) client.write(byte);
      assert.ok((await client.receive(/rpc-reply>]]>]]>/)).includes(understood));
      assert.match(await client.rest(), /^<rpc-reply [^>]*><ok\/><\/rpc-reply>]]>]]>$/);
      assert.deepEqual(
        world.ends.map(({ reason }) => reason),
        ['closed'],
      );
    });

  it('may have faults, which end no session', async (t) => {
    const world = await sessionWorld(t, { operations, lenientInteractive: true });
    const client = await world.dial();
    client.write(`<rpc><get-configuration></rpc>${getConfiguration}`);
    await client.receive(/<error-tag>operation-failed<.*?rpc-reply>]]>]]>/s);
    assert.ok((await client.receive(/rpc-reply>]]>]]>/)).includes(understood));
  });

  it('are no more than others in chunks', async (t) => {
    const world = await sessionWorld(t, { operations, lenientInteractive: true });
    const client = await world.dial();
    client.write(hello('1.1') + chunk(getConfiguration));
    assert.match(await client.receive(/\n##\n/), /missing-attribute/);
    client.write(getConfiguration);
    await client.rest();
    assert.match(world.lines.join('\n'), /the header of a chunk is malformed/);
  });

  it('are no hello where that is off', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    await client.receive(/]]>]]>/);
    client.write(`${getConfiguration}]]>]]>`);
    assert.equal(await client.rest(), '');
    assert.match(world.lines.join('\n'), /reason=bad-hello/);
  });

  it('want their delimiter and their message-id where that is off', async (t) => {
    const world = await sessionWorld(t, { operations });
    const client = await world.dial();
    client.write(`${hello('1.0')}${getConfiguration}`);
    client.write(']]>]]>');
    assert.match(await client.receive(/rpc-reply>/), /missing-attribute/);
  });
});
