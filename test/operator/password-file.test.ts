import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { readPassword } from '../../src/operator/password-file.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';
import { scratchDirectory } from '../storage/scratch.ts';

const directory = scratchDirectory();
const mark = '\uFEFF';

/** Runs a command in a terminal, and types when it is asked for the password. */
const typing = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0: os.execvp(sys.argv[1], sys.argv[1:])
seen = b''
isTyped = False
while True:
    try: seen += os.read(terminal, 4096)
    except OSError: break
    if b'press Enter' in seen and not isTyped: isTyped = os.write(terminal, b'typed horse\\n')
sys.stdout.buffer.write(seen)
os.waitpid(child, 0)
`;

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
    const files = [
      [fifo, 'a FIFO'],
      [join(place, 'directory'), 'a directory'],
      ['/dev/null', 'a device'],
      ['/dev/zero', 'a device'],
    ] as const;
    for (const [file, kind] of files) {
      const what = `The password file ${file} cannot be read: it is ${kind} and no regular file`;
      const message = `${what}; give --password-file - to read standard input.`;
      await assert.rejects(readPassword(file), { name: 'SetupError', message });
    }
  });

  const program = [
    `import { readPassword } from ${quotedSource('operator/password-file.ts')};`,
    'await readPassword(process.argv[1]).then(console.log, (error) => console.log(error.message));',
  ].join('\n');
  const node = typescriptProgram(program)
    .map((word) => `'${word}'`)
    .join(' ');
  const piped: readonly { what: string; call: string; says: string }[] = [
    { what: 'that comes late', call: '<(sleep 1; echo correct horse)', says: 'correct horse' },
    {
      what: 'of standard input',
      call: '/dev/stdin < <(echo correct horse)',
      says: 'correct horse',
    },
    {
      what: 'that ends at once',
      call: '/dev/fd/60 60< <(true)',
      says: 'The password file /dev/fd/60 is empty.',
    },
    {
      what: 'without an end',
      call: '/dev/fd/60 60< <(cat /dev/zero)',
      says: 'The password file /dev/fd/60 is longer than 4098 bytes, so it holds no password.',
    },
    {
      what: 'that is not handed on',
      call: '/dev/fd/60',
      says: 'The password file /dev/fd/60 is not open in this program; give --password-file - to read standard input.',
    },
  ];
  for (const { what, call, says } of piped) {
    it(`is read from a pipe that a shell opened: ${what}`, () => {
      assert.equal(
        execFileSync('bash', ['-c', `${node} ${call}`], { encoding: 'utf8' }).trim(),
        says,
      );
    });
  }

  it('is not shown while it is typed, and the terminal shows afterwards what is typed', () => {
    const { stdout } = spawnSync('python3', ['-c', typing, 'bash', '-c', `${node} -; stty -a`], {
      encoding: 'utf8',
    });
    // What the test program prints is all that is seen of it
    assert.equal(stdout.split('typed horse').length, 2, stdout);
    assert.match(stdout, / echo /);
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
