import { FileRefusal, readRegularBytes } from '../durable/regular-file.ts';
import { SetupError } from '../platform/configuration.ts';

/** The longest password that AccountService can allow, 1024 characters of four bytes, and a line break. */
const maxBytes = 4098;

/** Standard input, as far as it is read here. */
export type Input = AsyncIterable<Buffer | string> & { readonly isTTY?: boolean };

/**
 * The password in a file, or on standard input where the file is `-`, without the line break at its end.
 * @throws SetupError with a sentence that never holds the password
 */
export async function readPassword(file: string, input: Input = process.stdin): Promise<string> {
  const isInput = file === '-';
  const source = isInput ? 'Standard input' : `The password file ${file}`;
  const bytes = isInput ? await readInput(input) : await readFile(file, source);
  if (bytes.length > maxBytes) {
    throw new SetupError(`${source} is longer than ${maxBytes} bytes, so it holds no password.`);
  }
  return decode(bytes, source);
}

async function readInput(input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  if (input.isTTY) process.stderr.write('Type the password and press Enter.\n');
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length > maxBytes || (input.isTTY && bytes.includes('\n'))) break;
  }
  return Buffer.concat(chunks);
}

async function readFile(path: string, source: string): Promise<Buffer> {
  try {
    return await readRegularBytes(path, maxBytes);
  } catch (cause) {
    if (!(cause instanceof FileRefusal))
      throw new SetupError(`${source} cannot be read.`, { cause });
    switch (cause.reason) {
      case 'empty':
        return Buffer.alloc(0);
      case 'too-large':
        return Buffer.alloc(maxBytes + 1);
      case 'changing':
        throw new SetupError(`${source} changes while it is read.`);
      default:
        throw new SetupError(
          `${source} is no regular file; give --password-file - to read standard input.`,
        );
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
  // Nobody could type it, so nobody could log in
  if (text.startsWith('\uFEFF')) {
    throw new SetupError(`${source} begins with a byte order mark; save it as UTF-8 without.`);
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new SetupError(`${source} is empty.`);
  if (/[\r\n]/.test(password)) throw new SetupError(`${source} has more than one line.`);
  return password;
}
