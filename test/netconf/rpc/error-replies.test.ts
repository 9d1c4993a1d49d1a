import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseNamespace } from '../../../src/netconf/rpc/base-namespace.ts';
import {
  badAttribute,
  badElement,
  type ErrorTag,
  errorTypes,
  missingAttribute,
  missingElement,
  RpcError,
  unknownAttribute,
  unknownElement,
  unknownNamespace,
} from '../../../src/netconf/rpc/rpc-error.ts';
import { rpcErrorElement, rpcReply } from '../../../src/netconf/rpc/rpc-reply.ts';
import { element } from '../../../src/netconf/xml/element.ts';
import { readXml } from '../../../src/netconf/xml/read.ts';
import { writeXml } from '../../../src/netconf/xml/write.ts';
import { messageLimits } from '../message-limits.ts';
import { complaintsOf } from '../yanglint.ts';

const rpc = `<rpc xmlns="${baseNamespace}" xmlns:x="urn:x" x:more="1" message-id="1"><kill-session><session-id>4</session-id></kill-session></rpc>`;
const request = readXml(Buffer.from(rpc), messageLimits);

const tags = Object.keys(errorTypes) as ErrorTag[];
const some = element('urn:x', 'some');
const attribute = { name: 'x', namespace: '', value: '' };
const path = { expression: '/k:keystore', prefixes: { k: 'urn:keys' } };

const errors: RpcError[] = [
  ...tags.flatMap((tag) =>
    errorTypes[tag].map((type) => new RpcError(tag, 'It <is> so.', { type, path, appTag: 'x:y' })),
  ),
  unknownElement(some),
  unknownNamespace(some),
  missingElement('some'),
  badElement(some, 'no'),
  missingAttribute(some, 'x'),
  unknownAttribute(some, attribute),
  badAttribute(some, attribute, 'no'),
];

describe('yanglint', () => {
  it('takes every error, and <ok/>, for a reply of NETCONF', () => {
    const replies = errors.map((error) => [rpcErrorElement(error)]);
    const exchanges = [[], ...replies].map((content) => ({
      rpc,
      reply: writeXml(rpcReply(request, content)),
    }));
    assert.deepEqual(complaintsOf(exchanges), []);
  });

  it('refuses a tag that is none', () => {
    const reply = writeXml(rpcReply(request, [rpcErrorElement(new RpcError('in-use', 'x'))]));
    assert.equal(complaintsOf([{ rpc, reply: reply.replace('in-use', 'none') }]).length, 1);
  });
});
