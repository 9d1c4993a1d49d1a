import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, answer } from '../../../src/netconf/rpc/answer.ts';
import { baseNamespace } from '../../../src/netconf/rpc/base-namespace.ts';
import type { Operation } from '../../../src/netconf/rpc/operation.ts';
import { badAttribute, RpcError, unknownAttribute } from '../../../src/netconf/rpc/rpc-error.ts';
import { type Element, element } from '../../../src/netconf/xml/element.ts';
import { writeXml } from '../../../src/netconf/xml/write.ts';
import { messageLimits } from '../message-limits.ts';
import { identityOf } from '../session/session-world.ts';

const failWith =
  (error: unknown): Operation =>
  async () => {
    throw error;
  };

const path = { expression: '/k:keystore', prefixes: { k: 'urn:keys' } };
const operations = new Map<string, Operation>([
  [`{${baseNamespace}}get`, async () => [element(baseNamespace, 'data')]],
  ['{urn:test}do', async () => []],
  ['{urn:test}fault', failWith(new TypeError('secret of the service'))],
  [
    '{urn:test}exists',
    failWith(new RpcError('data-exists', 'There is one.', { path, appTag: 'x' })),
  ],
]);

const lines: string[] = [];
const record = (message: string, fields?: object) => {
  lines.push(`${message} ${JSON.stringify(fields)}`);
};

function ask(
  message: string,
  options: { is11?: boolean; lenient?: boolean } = {},
): Promise<Answer> {
  return answer(Buffer.from(message), {
    operations,
    caller: {
      sessionId: 7,
      userName: 'alice',
      address: '192.0.2.1',
      signal: new AbortController().signal,
      current: async () => identityOf('Administrator'),
    },
    limits: messageLimits,
    is11: true,
    lenient: false,
    log: { debug: record, info: record, warn: record, error: record },
    ...options,
  });
}

/** What an error reply says: the text of each element by its name. */
function fieldsOf({ reply }: Answer): Record<string, string> {
  const leaves = ({ name, text, children }: Element): [string, string][] =>
    children.length > 0 ? children.flatMap(leaves) : [[name, text]];
  return Object.fromEntries(reply.children.flatMap(leaves));
}

const rpc = (content: string, more = 'message-id="1"') =>
  `<rpc xmlns="${baseNamespace}" ${more}>${content}</rpc>`;

/** Of each: the message, whether it counts as a request, and the type, the tag and the information of the error. */
const errors: [string, string, boolean, string, string, Record<string, string>][] = [
  ['what is no XML', '<rpc', false, 'rpc', 'malformed-message', {}],
  [
    'a document type declaration',
    `<!DOCTYPE a>${rpc('<get/>')}`,
    false,
    'rpc',
    'malformed-message',
    {},
  ],
  [
    'a missing message-id',
    rpc('<get/>', ''),
    false,
    'rpc',
    'missing-attribute',
    { 'bad-attribute': 'message-id', 'bad-element': 'rpc' },
  ],
  [
    'a message-id of another namespace',
    rpc('<get/>', 'xmlns:p="urn:p" p:message-id="1"'),
    false,
    'rpc',
    'missing-attribute',
    { 'bad-attribute': 'message-id', 'bad-element': 'rpc' },
  ],
  [
    'a request as it is typed',
    '<rpc><get-configuration/></rpc>',
    false,
    'rpc',
    'missing-attribute',
    { 'bad-attribute': 'message-id', 'bad-element': 'rpc' },
  ],
  [
    'another namespace',
    '<rpc xmlns="urn:x" message-id="1"><get/></rpc>',
    false,
    'protocol',
    'unknown-namespace',
    { 'bad-element': 'rpc', 'bad-namespace': 'urn:x' },
  ],
  [
    'another element',
    `<rpc-reply xmlns="${baseNamespace}" message-id="1"/>`,
    false,
    'protocol',
    'unknown-element',
    { 'bad-element': 'rpc-reply' },
  ],
  ['no operation', rpc(''), false, 'protocol', 'bad-element', { 'bad-element': 'rpc' }],
  [
    'two operations',
    rpc('<get/><get/>'),
    false,
    'protocol',
    'bad-element',
    { 'bad-element': 'rpc' },
  ],
  [
    'an operation that is not there',
    rpc('<copy-config/>'),
    true,
    'protocol',
    'operation-not-supported',
    {},
  ],
  [
    'a namespace that is not there',
    rpc('<get xmlns="urn:none"/>'),
    true,
    'protocol',
    'unknown-namespace',
    { 'bad-element': 'get', 'bad-namespace': 'urn:none' },
  ],
  [
    'an operation of another namespace',
    rpc('<get xmlns="urn:test"/>'),
    true,
    'protocol',
    'operation-not-supported',
    {},
  ],
  ['a fault', rpc('<fault xmlns="urn:test"/>'), true, 'application', 'operation-failed', {}],
];

describe('the answer to a message', () => {
  for (const [what, message, isRpc, type, tag, info] of errors)
    it(`is ${tag} for ${what}`, async () => {
      const answer = await ask(message);
      const { 'error-message': text, ...fields } = fieldsOf(answer);
      assert.deepEqual(fields, {
        'error-type': type,
        'error-tag': tag,
        'error-severity': 'error',
        ...info,
      });
      assert.ok(text);
      assert.equal(answer.isRpc, isRpc);
      assert.equal(answer.error?.tag, tag);
    });

  it('is operation-failed for what is no XML, where a client knows base:1.0 alone', async () => {
    const fields = fieldsOf(await ask('<rpc', { is11: false }));
    assert.deepEqual([fields['error-type'], fields['error-tag']], ['rpc', 'operation-failed']);
  });

  it('is <ok/>, or what the operation gives', async () => {
    const id = `xmlns="${baseNamespace}" message-id="1"`;
    const written = async (content: string) => writeXml((await ask(rpc(content))).reply);
    assert.equal(await written('<do xmlns="urn:test"/>'), `<rpc-reply ${id}><ok/></rpc-reply>`);
    assert.equal(await written('<get/>'), `<rpc-reply ${id}><data/></rpc-reply>`);
  });

  it('has all that an error says, in the order of the schema', async () => {
    const { reply } = await ask(rpc('<exists xmlns="urn:test"/>'));
    assert.equal(
      writeXml(reply),
      `<rpc-reply xmlns="${baseNamespace}" message-id="1"><rpc-error><error-type>application</error-type><error-tag>data-exists</error-tag>` +
        '<error-severity>error</error-severity><error-app-tag>x</error-app-tag><error-path xmlns:k="urn:keys">/k:keystore</error-path>' +
        '<error-message xml:lang="en">There is one.</error-message></rpc-error></rpc-reply>',
    );
  });

  it('tells nothing of a fault, which is in the log', async () => {
    const { reply } = await ask(rpc('<fault xmlns="urn:test"/>'));
    assert.doesNotMatch(writeXml(reply), /secret/);
    assert.match(
      lines.join('\n'),
      /request of NETCONF failed .*"operation":"fault".*secret of the service/,
    );
  });

  it('names the attribute and its element where an attribute is wrong', () => {
    const attribute = { name: 'operation', namespace: '', value: 'x' };
    for (const error of [
      unknownAttribute({ name: 'a' }, attribute),
      badAttribute({ name: 'a' }, attribute, 'no'),
    ])
      assert.deepEqual(
        error.info.map(({ name, text }) => [name, text]),
        [
          ['bad-attribute', 'operation'],
          ['bad-element', 'a'],
        ],
      );
  });
});

describe('a request that is typed', () => {
  const typed: [string, string, string][] = [
    ['<rpc><get/></rpc>', '', 'data'],
    ['<rpc message-id="3"><get/></rpc>', '', 'data'],
    [`<rpc xmlns="${baseNamespace}"><get/></rpc>`, '', 'data'],
    ['<rpc><do xmlns="urn:test"/></rpc>', '', 'ok'],
    ['<rpc xmlns="urn:x"><get/></rpc>', 'unknown-namespace', 'rpc-error'],
    ['<rpc><commit/></rpc>', 'operation-not-supported', 'rpc-error'],
    ['<rpc><get></rpc>', 'operation-failed', 'rpc-error'],
  ];
  for (const [message, tag, child] of typed)
    it(`is answered: ${message}`, async () => {
      const { reply, error } = await ask(message, { is11: false, lenient: true });
      assert.deepEqual([reply.children[0]?.name, error?.tag ?? ''], [child, tag]);
      assert.equal(reply.namespace, baseNamespace);
    });
});
