import { CertError } from '../core/cert-error.ts';
import { cannotBeRead, readStream } from '../storage/regular-file.ts';
import { type Content, openContent, pemContent } from '../x509/containers.ts';
import { usualLimits } from '../x509/limits.ts';
import type { PemBlock } from '../x509/pem.ts';
import type { Options } from './framework/command.ts';
import { CommandError } from './framework/exit-status.ts';
import { fileValue } from './framework/value-kind.ts';
import { readPassword } from './password-file.ts';

export const fileArgument = {
  kind: fileValue,
  about:
    'certificates and keys in PEM, DER, PKCS #7 or PKCS #12, told by their content; `-` for standard input',
  multiple: true,
} as const;

export const passwordOptions = {
  'password-file': {
    kind: fileValue,
    about: 'a file with the password of an encrypted key or a PKCS #12; `-` for standard input',
  },
} as const satisfies Options;

interface PasswordOptions {
  readonly 'password-file'?: string | undefined;
}

/** What the files hold, as PEM blocks that need no password. @throws CommandError, SetupError, CertError */
export async function readBlocks(
  files: readonly string[],
  { 'password-file': passwordFile }: PasswordOptions = {},
): Promise<readonly PemBlock[]> {
  if ([...files, passwordFile].filter((file) => file === '-').length > 1)
    throw new CommandError('usage', 'Standard input can be read once: give - for a single file.');
  const password = passwordFile === undefined ? '' : await readPassword(passwordFile);
  const blocks = files.flatMap((file) =>
    openContent(
      { bytes: readBytes(file), format: 'PEM', password },
      usualLimits,
      usualLimits.derivationRounds,
    ),
  );
  if (blocks.length > 0) return blocks;
  throw new CertError('no-certificate', 'the file holds no certificate, CSR or key');
}

/** The same for the manager. */
export async function readMaterial(
  files: readonly string[],
  options?: PasswordOptions,
): Promise<Content> {
  return pemContent((await readBlocks(files, options)).map(({ text }) => text).join(''));
}

/** @throws CommandError, SetupError */
export function readBytes(file: string): Buffer {
  try {
    const bytes = readStream(file === '-' ? 0 : file);
    if (bytes.length > 0) return bytes;
  } catch (cause) {
    throw cannotBeRead(`The file ${file}`, cause);
  }
  throw new CommandError('refused', `The file ${file} is empty.`);
}
