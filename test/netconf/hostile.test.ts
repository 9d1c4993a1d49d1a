import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chunkedFraming } from '../../src/netconf/framing/chunked.ts';
import { endOfMessageFraming } from '../../src/netconf/framing/end-of-message.ts';
import { type Framing, FramingError } from '../../src/netconf/framing/framing.ts';
import { readXml, XmlError } from '../../src/netconf/xml/read.ts';

/** So many that work which grows with their square does not end within the time of a test. */
const many = 2_000_000;
const limits = {
  bytes: 2 * many,
  elements: 100_000,
  depth: 64,
  attributes: 64,
  nameLength: 256,
} as const;

/** Hands pieces over until there is a message. */
function feed(framing: Framing, pieces: Iterable<Buffer>): Buffer | undefined {
  for (const piece of pieces) {
    let rest = piece;
    while (rest.length > 0) {
      const taken = framing.take(rest);
      if (taken.message) return taken.message;
      rest = taken.rest;
    }
  }
  return undefined;
}

function* repeated(text: string, times: number): Iterable<Buffer> {
  const piece = Buffer.from(text);
  for (let time = 0; time < times; time += 1) yield piece;
}

/** How much memory a message holds. */
function held(message: Buffer | undefined): number {
  return message?.buffer.byteLength ?? 0;
}

describe('a hostile stream', () => {
  const framings = {
    'end of message': endOfMessageFraming({ maxBytes: many }),
    lenient: endOfMessageFraming({ maxBytes: many, lenient: true }),
  };
  for (const [kind, framing] of Object.entries(framings))
    it(`may come byte by byte: ${kind}`, () => {
      feed(framing, repeated('<', many));
      const message = feed(framing, repeated(']]>]]>', 1));
      assert.equal(message?.length, many);
      assert.ok(held(message) <= many + 6);
    });

  it('may come in chunks of one byte', () => {
    const framing = chunkedFraming({ maxBytes: many });
    feed(framing, repeated('\n#1\n<', many));
    const message = feed(framing, repeated('\n##\n', 1));
    assert.equal(message?.length, many);
    assert.ok(held(message) <= many + 6);
  });

  it('may have nothing but white space, of which nothing is kept', () => {
    const framing = endOfMessageFraming({ maxBytes: 10, lenient: true });
    assert.equal(feed(framing, repeated(' ', many)), undefined);
  });

  it('may have nothing but delimiters', () => {
    const framing = endOfMessageFraming({ maxBytes: 10, lenient: true });
    assert.equal(feed(framing, [Buffer.from(']]>]]>'.repeat(many / 10))]), undefined);
  });

  it('may not have a header of a chunk that does not end', () => {
    for (const text of ['\n#1', '\n#', '\n', '1'])
      assert.throws(
        () => feed(chunkedFraming({ maxBytes: many }), [Buffer.from(text), ...repeated('1', 20)]),
        FramingError,
      );
  });
});

describe('a hostile message', () => {
  const text = (before: string, middle: string, after = '') =>
    before + middle.repeat(Math.floor(many / middle.length)) + after;
  const attributes = Array.from({ length: many / 20 }, (_, at) => ` a${at}="x"`).join('');
  const entities = Array.from({ length: 20 }, (_, at) => `<!ENTITY e${at + 1} "&e${at};&e${at};">`);
  const declared = Array.from({ length: 60 }, (_, at) => ` xmlns:p${at}="urn:${at}"`).join('');
  const messages: [string, string, RegExp | undefined][] = [
    ['depth', text('', '<a>'), /nested more than 64 deep/],
    ['depth without end of its tags', text('', '<a '), /./],
    ['elements', text('<a>', '<b/>', '</a>'), /more than 100000 elements/],
    ['a name', text('<', 'a'), /./],
    ['a name that ends', text('<', 'a', '/>'), /a name has more than 256/],
    ['the name of an attribute', text('<a ', 'b', '=""/>'), /a name has more than 256/],
    ['attributes', `<a${attributes}/>`, /more than 64 attributes/],
    ['an attribute', text('<a x="', 'y', '"/>'), undefined],
    ['text', text('<a>', 'x', '</a>'), undefined],
    ['sections of text', text('<a>', '<![CDATA[x]]>', '</a>'), undefined],
    ['references', text('<a>', '&amp;', '</a>'), undefined],
    ['comments', text('<a>', '<!--x-->', '</a>'), undefined],
    ['a comment without end', text('<a><!--', 'x'), /./],
    ['entities', `<!DOCTYPE a [${entities.join('')}]><a>&e20;</a>`, /document type declaration/],
    ['a DTD without end', text('<!DOCTYPE a [', '<!ENTITY x "y">'), /./],
    [
      'a DTD of others',
      '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
      /document type declaration/,
    ],
    ['a processing instruction without end', text('<?a ', 'x'), /./],
    [
      'declarations of namespaces at each depth',
      `${`<a${declared}>`.repeat(60)}${'<b xmlns="u"/>'.repeat(90_000)}${'</a>'.repeat(60)}`,
      undefined,
    ],
  ];
  for (const [what, message, reason] of messages)
    it(`has much of one thing: ${what}`, () => {
      const read = () => readXml(Buffer.from(message), limits);
      if (reason)
        assert.throws(read, (error) => error instanceof XmlError && reason.test(error.message));
      else read();
    });
});
