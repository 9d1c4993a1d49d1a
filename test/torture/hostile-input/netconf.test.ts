import { it } from 'node:test';
import { chunkedFraming } from '../../../src/netconf/framing/chunked.ts';
import { endOfMessageFraming } from '../../../src/netconf/framing/end-of-message.ts';
import { chunkedFrame, endOfMessageFrame } from '../../../src/netconf/framing/frame.ts';
import { type Framing, FramingError } from '../../../src/netconf/framing/framing.ts';
import { filterSubtree } from '../../../src/netconf/rpc/subtree-filter.ts';
import { readXml, XmlError } from '../../../src/netconf/xml/read.ts';
import { writeXml } from '../../../src/netconf/xml/write.ts';
import { messageLimits } from '../../netconf/message-limits.ts';
import { campaign } from './campaign.ts';
import { textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';

const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
const messages = [
  `<hello xmlns="${base}"><capabilities><capability>${base}</capability></capabilities></hello>`,
  `<?xml version="1.0" encoding="UTF-8"?>\n<nc:rpc xmlns:nc="${base}" nc:x="1" message-id="a&amp;b"><nc:get/></nc:rpc>`,
  `<rpc xmlns="${base}" message-id="7"><get-config><filter><top xmlns="urn:t"><a>x</a><b/></top></filter></get-config></rpc>`,
  '<rpc><![CDATA[<&]]>&#x20AC;<!-- - --></rpc>',
];

/** The first byte of an input says how it is framed. */
const framings: readonly (() => Framing)[] = [
  () => endOfMessageFraming({ maxBytes: 5000 }),
  () => endOfMessageFraming({ maxBytes: 5000, lenient: true }),
  () => chunkedFraming({ maxBytes: 5000 }),
];
const corpus = framings.map((_, kind) => {
  const frame = kind === 2 ? chunkedFrame : endOfMessageFrame;
  return Buffer.concat([Buffer.of(kind), ...messages.map(frame)]);
});

it('a stream of NETCONF is refused, or its messages mean the same when they are written again', async () => {
  await campaign({
    name: 'stream of NETCONF',
    corpus,
    mutators: [...textMutators, ...byteMutators],
    isRefusal: (error) => error instanceof FramingError || error instanceof XmlError,
    attempt([kind = 0, ...bytes]) {
      const [whole, cut] = [bytes.length, 3].map((size) => messagesOf(kind, bytes, size));
      if (whole?.join() !== cut?.join()) throw new Error('other messages where the stream is cut');
      const names = (whole ?? []).map((message) => {
        const root = readXml(Buffer.from(message, 'hex'), messageLimits);
        filterSubtree(root.children, root.children);
        const text = writeXml(root);
        const again = writeXml(readXml(Buffer.from(text), messageLimits));
        if (again !== text) throw new Error(`another element when it is written: ${text}`);
        return root.name.slice(0, 10);
      });
      return names.join();
    },
  });
});

/** In hexadecimal. */
function messagesOf(kind: number, bytes: readonly number[], size: number): string[] {
  const framing = framings[kind % framings.length]?.();
  const found: string[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += size) {
    rest = Buffer.from(bytes.slice(at, at + size));
    while (framing && rest.length > 0) {
      const taken = framing.take(rest);
      if (taken.message) found.push(taken.message.toString('hex'));
      rest = taken.rest;
    }
  }
  return found;
}
