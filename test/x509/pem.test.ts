import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatPem, parsePem } from '../../src/x509/pem.ts';
import { openssl } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';

const content = Buffer.from('three bytes and more, so that there is more than one line of base64');
const good = formatPem('CERTIFICATE', content);

/** The good block with its lines changed. */
const edited = (edit: (lines: string[]) => unknown) => {
  const lines = good.trimEnd().split('\n');
  edit(lines);
  return `${lines.join('\n')}\n`;
};

const split = (line = '') => [line.slice(0, 20), line.slice(20)];

describe('a PEM file', () => {
  const accepted: [string, string, string[]][] = [
    ['nothing', '', []],
    ['text without any block', 'no PEM here', []],
    ['one block', good, ['CERTIFICATE']],
    ['no newline at the end', good.trimEnd(), ['CERTIFICATE']],
    ['CRLF line ends', good.replaceAll('\n', '\r\n'), ['CERTIFICATE']],
    ['CR line ends', good.replaceAll('\n', '\r'), ['CERTIFICATE']],
    ['blanks after the boundaries', good.replaceAll('-----\n', '----- \t\n'), ['CERTIFICATE']],
    ['explanatory text around blocks', `Subject: x\n${good}\nIssuer: y\n`, ['CERTIFICATE']],
    ['lines of another width', edited((l) => l.splice(1, 1, ...split(l[1]))), ['CERTIFICATE']],
    ['all base64 in one line', edited((l) => l.splice(1, 2, (l[1] ?? '') + l[2])), ['CERTIFICATE']],
    ['an empty line inside of a block', edited((l) => l.splice(2, 0, '')), ['CERTIFICATE']],
    [
      'several blocks in their order',
      `${formatPem('EC PRIVATE KEY', content)}${good}${formatPem('X', content)}`,
      ['EC PRIVATE KEY', 'CERTIFICATE', 'X'],
    ],
  ];
  for (const [what, text, labels] of accepted) {
    it(`may hold ${what}`, () => {
      const blocks = parsePem(text);
      assert.deepEqual(
        blocks.map(({ label }) => label),
        labels,
      );
      for (const { der } of blocks) assert.deepEqual(der, content);
    });
  }

  const refused: [string, string, RegExp][] = [
    ['a BEGIN without an END', edited((l) => l.pop()), /CERTIFICATE block has no END/],
    ['an END without a BEGIN', edited((l) => l.shift()), /END CERTIFICATE without a BEGIN/],
    ['an END of another label', good.replace('END CERT', 'END X'), /closes a CERTIFICATE block/],
    ['a BEGIN inside of a block', edited((l) => l.splice(1, 0, l[0] ?? '')), /inside of the/],
    ['an empty block', edited((l) => l.splice(1, 2)), /not base64/],
    ['a character outside of base64', good.replace('dGhy', 'd!hy'), /not base64/],
    ['a character of base64url', good.replace('dGhy', 'd-hy'), /not base64/],
    ['base64 that is not a multiple of four', good.replace('dGhy', 'dhy'), /not base64/],
    ['padding in the middle', good.replace('dGhy', 'dG=='), /not base64/],
    ['a blank inside of a line', good.replace('dGhy', 'dG hy'), /not base64/],
    [
      'a boundary of four hyphens',
      edited((l) => l.splice(-1, 1, '----END CERTIFICATE----')),
      /END/,
    ],
    ['a block whose line ends are gone', good.replaceAll('\n', ''), /line ends are gone/],
    ['a block behind the END of another', good.trimEnd() + good, /line ends are gone/],
    ['a line with a colon', edited((l) => l.splice(2, 0, 'dGhy:ZWUg')), /not base64/],
  ];
  for (const [what, text, words] of refused) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => parsePem(text), refusal('pem-malformed', words));
    });
  }

  it('shows which key openssl encrypted in the traditional format', () => {
    const key = openssl(['genrsa', '-traditional', '-aes128', '-passout', 'pass:secret', '1024']);
    const [block] = parsePem(key);
    assert.equal(block?.label, 'RSA PRIVATE KEY');
    assert.equal(block?.encrypted, true);
  });

  it('may have headers that say nothing of encryption', () => {
    const [block] = parsePem(edited((l) => l.splice(1, 0, 'Comment: none', '')));
    assert.deepEqual(block?.der, content);
    assert.equal(block?.encrypted, false);
  });
});

describe('a PEM block', () => {
  const labels = fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'CERTIFICATE REQUEST', 'X509 CRL');
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });

  it('is what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(labels, bytes), { maxLength: 5 }), (blocks) => {
        const text = blocks.map(([label, der]) => formatPem(label, der)).join('');
        const read = parsePem(text).map(({ label, der }) => [label, new Uint8Array(der)]);
        assert.deepEqual(read, blocks);
      }),
    );
  });

  it('keeps its own text', () => {
    const [block] = parsePem(`before\n${good.replaceAll('\n', '\r\n')}after`);
    assert.equal(block?.text, good);
  });

  it('has the form that openssl writes', () => {
    const text = openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']);
    const [block] = parsePem(text);
    assert.ok(block);
    assert.equal(formatPem(block.label, block.der), text);
  });

  it('is refused with any character of its base64 replaced by one that is none', () => {
    const start = good.indexOf('\n') + 1;
    const end = good.indexOf('-----END') - 1;
    const position = fc.integer({ min: start, max: end - 1 }).filter((at) => good[at] !== '\n');
    const wrong = fc.constantFrom(...'!"#$%&()*,-.:;<>?@[]^_`{|}~é\0');
    fc.assert(
      fc.property(position, wrong, (at, character) => {
        const mutated = good.slice(0, at) + character + good.slice(at + 1);
        assert.throws(() => parsePem(mutated), refusal('pem-malformed'));
      }),
    );
  });

  it('is refused or read, never anything else, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...['-----BEGIN A-----', '-----END A-----', '-----END B-----', 'QUJD', '=', ':', '\n', ' '],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          for (const { label } of parsePem(parts.join(''))) assert.match(label, /^[AB]$/);
        } catch (error) {
          refusal('pem-malformed')(error);
        }
      }),
    );
  });
});
