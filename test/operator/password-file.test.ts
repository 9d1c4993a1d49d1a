import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { readPassword } from '../../src/operator/password-file.ts';
import { scratchDirectory } from '../durable/scratch.ts';

const directory = scratchDirectory();
const mark = '\uFEFF';

const good: readonly { what: string; bytes: string }[] = [
  { what: 'without a line break', bytes: 'correct horse' },
  { what: 'with a line break', bytes: 'correct horse\n' },
  { what: 'with a line break of Windows', bytes: 'correct horse\r\n' },
];
const bad: readonly { what: string; bytes: string | Buffer; says: RegExp }[] = [
  { what: 'nothing', bytes: '', says: / is empty\.$/ },
  { what: 'a line break', bytes: '\n', says: / is empty\.$/ },
  { what: 'a line break of Windows', bytes: '\r\n', says: / is empty\.$/ },
  { what: 'two lines', bytes: 'correct\nhorse\n', says: / has more than one line\.$/ },
  { what: 'two line breaks', bytes: 'correct horse\n\n', says: / has more than one line\.$/ },
  {
    what: 'a byte order mark',
    bytes: `${mark}correct horse`,
    says: /begins with a byte order mark/,
  },
  {
    what: 'UTF-16',
    bytes: Buffer.from(`${mark}correct`, 'utf16le'),
    says: / is not valid UTF-8\.$/,
  },
  { what: 'Latin-1', bytes: Buffer.from('corréct', 'latin1'), says: / is not valid UTF-8\.$/ },
  { what: 'half of a surrogate pair', bytes: Buffer.from([0xed, 0xa0, 0x80]), says: /valid UTF-8/ },
  { what: 'a megabyte', bytes: 'x'.repeat(1 << 20), says: /is longer than 4098 bytes/ },
];

describe('a password', () => {
  const fromFile = (bytes: string | Buffer) => {
    const file = join(directory(), 'password');
    writeFileSync(file, bytes);
    return readPassword(file);
  };
  const fromInput = (bytes: string | Buffer) => {
    // As it comes through a pipe: in pieces
    const buffer = Buffer.from(bytes);
    const half = Math.ceil(buffer.length / 2);
    return readPassword('-', Readable.from([buffer.subarray(0, half), buffer.subarray(half)]));
  };
  for (const [where, read, name] of [
    ['a file', fromFile, /^The password file \//],
    ['standard input', fromInput, /^Standard input /],
  ] as const) {
    for (const { what, bytes } of good) {
      it(`is read from ${where} ${what}`, async () => {
        assert.equal(await read(bytes), 'correct horse');
      });
    }
    for (const { what, bytes, says } of bad) {
      it(`is refused from ${where} that holds ${what}, with a sentence that does not show it`, async () => {
        await assert.rejects(read(bytes), (error: Error) => {
          assert.equal(error.name, 'SetupError');
          assert.match(error.message, says);
          assert.match(error.message, name);
          assert.doesNotMatch(error.message, /corr|horse|xxx/);
          return true;
        });
      });
    }
  }

  it('is not waited for in what is no regular file', async () => {
    const place = directory();
    const fifo = join(place, 'fifo');
    execFileSync('mkfifo', [fifo]);
    mkdirSync(join(place, 'directory'));
    for (const file of [fifo, join(place, 'directory'), '/dev/null', '/dev/zero']) {
      const message = `The password file ${file} is no regular file; give --password-file - to read standard input.`;
      await assert.rejects(readPassword(file), { name: 'SetupError', message });
    }
  });

  it('is typed up to the end of the line where standard input is a terminal', async () => {
    const typing = async function* () {
      yield 'correct horse\n';
      throw new Error('the next line is waited for');
    };
    assert.equal(
      await readPassword('-', Object.assign(typing(), { isTTY: true })),
      'correct horse',
    );
  });
});
