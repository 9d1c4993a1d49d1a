import { spawnSync } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { SetupError } from '../core/setup-error.ts';
import { codeOf } from '../storage/io-errors.ts';
import { cannotBeRead, FileRefusal, readRegularBytes } from '../storage/regular-file.ts';

/** The longest password that AccountService can allow, 1024 characters of four bytes, and a line break. */
const maxBytes = 4098;

/** Standard input, as far as it is read here. */
export type Input = AsyncIterable<Buffer | string> & { readonly isTTY?: boolean };

const advice = 'give --password-file - to read standard input';

/**
 * The password in a file, or on standard input where the file is `-`, without the line break at its end.
 * @throws SetupError with a sentence that never holds the password
 */
export async function readPassword(file: string, input: Input = process.stdin): Promise<string> {
  const isInput = file === '-';
  const source = isInput ? 'Standard input' : `The password file ${file}`;
  const stream = isInput ? input : openPipe(file);
  const bytes = stream ? await readInput(stream) : await readFile(file, source);
  if (bytes.length > maxBytes) {
    throw new SetupError(`${source} is longer than ${maxBytes} bytes, so it holds no password.`);
  }
  return decode(bytes, source);
}

/**
 * The pipe of `--password-file <(command)`, which has a writer, or an end. A FIFO with a name may never get a writer.
 */
function openPipe(file: string): Input | undefined {
  const fd = descriptorOf(file);
  if (fd === undefined) return undefined;
  try {
    return fstatSync(fd).isFIFO() ? new Socket({ fd, readable: true, writable: false }) : undefined;
  } catch {
    return undefined;
  }
}

function descriptorOf(file: string): number | undefined {
  if (file === '/dev/stdin') return 0;
  const [, digits] = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(file) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

async function readInput(input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  if (input.isTTY) {
    showTyping(false);
    process.stderr.write('Type the password, which is not shown, and press Enter.\n');
  }
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length > maxBytes || (input.isTTY && bytes.includes('\n'))) break;
  }
  if (input.isTTY) showTyping(true);
  return Buffer.concat(chunks);
}

/** Node itself brings a terminal back to what it was, also when a signal ends the program. */
function showTyping(isShown: boolean): void {
  spawnSync('stty', [isShown ? 'echo' : '-echo'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

async function readFile(file: string, source: string): Promise<Buffer> {
  try {
    return await readRegularBytes(file, maxBytes);
  } catch (cause) {
    // npm hands none on
    if (codeOf(cause) === 'ENOENT' && descriptorOf(file) !== undefined)
      throw new SetupError(`${source} is not open in this program; ${advice}.`, { cause });
    if (!(cause instanceof FileRefusal)) throw cannotBeRead(source, cause);
    switch (cause.reason) {
      case 'empty':
        return Buffer.alloc(0);
      case 'too-large':
        return Buffer.alloc(maxBytes + 1);
      case 'changing':
        throw new SetupError(`${source} changes while it is read.`);
      default:
        throw new SetupError(`${source} cannot be read: ${cause.message}; ${advice}.`);
    }
  }
}

function decode(bytes: Buffer, source: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SetupError(`${source} is not valid UTF-8.`, { cause });
  }
  // It cannot be typed, so it could not be used to log in
  if (text.startsWith('\uFEFF')) {
    throw new SetupError(`${source} begins with a byte order mark; save it as UTF-8 without.`);
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new SetupError(`${source} is empty.`);
  if (/[\r\n]/.test(password)) throw new SetupError(`${source} has more than one line.`);
  return password;
}
