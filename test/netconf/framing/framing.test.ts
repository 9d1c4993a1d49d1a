import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chunkedFraming } from '../../../src/netconf/framing/chunked.ts';
import { endOfMessageFraming } from '../../../src/netconf/framing/end-of-message.ts';
import { chunkedFrame, endOfMessageFrame } from '../../../src/netconf/framing/frame.ts';
import { type Framing, FramingError } from '../../../src/netconf/framing/framing.ts';

/** The messages of a stream that comes in these pieces. */
function messagesOf(framing: Framing, pieces: readonly (string | Buffer)[]): string[] {
  const messages: string[] = [];
  for (const piece of pieces) {
    let rest: Buffer = Buffer.from(piece);
    while (rest.length > 0) {
      const taken = framing.take(rest);
      if (taken.message) messages.push(taken.message.toString());
      rest = taken.rest;
    }
  }
  return messages;
}

/** Every way to cut a text in two, and the one with a byte in each piece. */
function cuts(text: string): string[][] {
  const places = Array.from({ length: text.length + 1 }, (_, place) => place);
  return [...places.map((place) => [text.slice(0, place), text.slice(place)]), [...text]];
}

const maxBytes = 40;
const kinds = {
  'end of message': () => endOfMessageFraming({ maxBytes }),
  'lenient end of message': () => endOfMessageFraming({ maxBytes, lenient: true }),
  chunked: () => chunkedFraming({ maxBytes }),
} as const;

const streams: [string, keyof typeof kinds, string, string[]][] = [
  [
    'messages with white space between them',
    'end of message',
    ' \r\n<a/>]]>]]>\n<b>]]></b>]]>]]>',
    ['<a/>', '<b>]]></b>'],
  ],
  ['a delimiter behind its own beginning', 'end of message', '<a/>]]>]]]>]]>]]>', ['<a/>]]>]']],
  ['a request without delimiter', 'end of message', '<rpc>a</rpc>', []],
  [
    'typed requests',
    'lenient end of message',
    '<rpc>a</rpc>\n<rpc x="1">b</rpc>',
    ['<rpc>a</rpc>', '<rpc x="1">b</rpc>'],
  ],
  [
    'typed requests with delimiters',
    'lenient end of message',
    '<rpc>a</rpc>]]>]]>\n]]>]]><rpc>b</rpc> ]]>]]>',
    ['<rpc>a</rpc>', '<rpc>b</rpc>'],
  ],
  [
    'a hello and a typed request',
    'lenient end of message',
    '<hello>a</hello>]]>]]><rpc>b</rpc>',
    ['<hello>a</hello>', '<rpc>b</rpc>'],
  ],
  [
    'a declaration ahead of the request',
    'lenient end of message',
    '<?xml?><rpc></rpc>  ]]>]]>',
    ['<?xml?><rpc></rpc>  '],
  ],
  ['a chunk', 'chunked', '\n#4\n<a/>\n##\n', ['<a/>']],
  [
    'several chunks and messages',
    'chunked',
    '\n#3\n<a>\n#2\n\n#\n#4\n</a>\n##\n\n#10\n0123456789\n##\n',
    ['<a>\n#</a>', '0123456789'],
  ],
];

describe('framing', () => {
  for (const [what, kind, stream, messages] of streams)
    it(`takes ${what} from a stream, wherever it is cut (${kind})`, () => {
      for (const pieces of cuts(stream))
        assert.deepEqual(messagesOf(kinds[kind](), pieces), messages, JSON.stringify(pieces));
    });

  const broken: [string, keyof typeof kinds, string, RegExp][] = [
    ['a message without chunks', 'chunked', '\n##\n', /no chunk/],
    ['a size of zero', 'chunked', '\n#0\n\n##\n', /header/],
    ['a zero ahead of the size', 'chunked', '\n#04\n<a/>', /header/],
    ['a size that is no number', 'chunked', '\n#x\n', /header/],
    ['a sign', 'chunked', '\n#+4\n', /header/],
    ['white space in a header', 'chunked', '\n# 4\n', /header/],
    ['a carriage return', 'chunked', '\r\n#4\r\n', /header/],
    ['no line feed ahead', 'chunked', '#4\n', /header/],
    ['end-of-message framing', 'chunked', '<a/>]]>]]>', /header/],
    ['a size above 4294967295', 'chunked', '\n#4294967296\n', /4294967295/],
    ['a header of eleven digits', 'chunked', '\n#12345678901', /header/],
    ['a chunk that is longer than it says', 'chunked', '\n#4\n<a/> \n##\n', /header/],
    ['three signs', 'chunked', '\n#4\n<a/>\n###\n', /header/],
    ['a chunk above the limit', 'chunked', '\n#41\n', /40 bytes/],
    ['chunks above the limit together', 'chunked', `\n#30\n${'a'.repeat(30)}\n#11\n`, /40 bytes/],
    ['the largest chunk', 'chunked', '\n#4294967295\n', /40 bytes/],
    ['a message above the limit', 'end of message', `${'a'.repeat(41)}]]>]]>`, /40 bytes/],
    ['a message that never ends', 'end of message', 'a'.repeat(46), /40 bytes/],
    ['a request that never ends', 'lenient end of message', `<rpc>${'a'.repeat(41)}`, /40 bytes/],
  ];
  for (const [what, kind, stream, reason] of broken)
    it(`refuses ${what}, wherever the stream is cut (${kind})`, () => {
      for (const pieces of cuts(stream))
        assert.throws(
          () => messagesOf(kinds[kind](), pieces),
          (error) => error instanceof FramingError && reason.test(error.message),
          JSON.stringify(pieces),
        );
    });

  it('takes messages up to the limit', () => {
    const longest = 'a'.repeat(maxBytes);
    assert.deepEqual(messagesOf(kinds['end of message'](), [`${longest}]]>]]>`]), [longest]);
    assert.deepEqual(messagesOf(kinds.chunked(), [`\n#40\n${longest}\n##\n`]), [longest]);
  });

  it('takes as many bytes of white space as come between messages', () => {
    const pieces = [...Array<string>(100).fill(' \n\t'), '<a/>]]>]]>'];
    assert.deepEqual(messagesOf(kinds['end of message'](), pieces), ['<a/>']);
  });

  const frames = [
    ['end of message', endOfMessageFrame, endOfMessageFraming],
    ['chunked', chunkedFrame, chunkedFraming],
  ] as const;
  for (const [kind, frame, framing] of frames)
    it(`takes every message out of its frames, cut at random (${kind})`, () => {
      const message = fc
        .string({ minLength: 1, unit: 'binary' })
        .map((text) => `<${text.replaceAll(']', '')}>`);
      fc.assert(
        fc.property(
          fc.array(message, { maxLength: 8 }),
          fc.array(fc.integer({ min: 1, max: 40 })),
          (messages, sizes) => {
            const stream = Buffer.concat(messages.map((one) => frame(one)));
            const pieces: Buffer[] = [];
            for (let at = 0; at < stream.length; at += pieces.at(-1)?.length ?? 0)
              pieces.push(stream.subarray(at, at + (sizes[pieces.length] ?? 7)));
            assert.deepEqual(messagesOf(framing({ maxBytes: 10_000 }), pieces), messages);
          },
        ),
      );
    });
});
