import { X509Certificate } from 'node:crypto';
import { SetupError } from '../../core/setup-error.ts';
import { cannotBeRead, readStream } from '../../storage/regular-file.ts';
import { colonHex } from '../../x509/colon-hex.ts';
import type { Options } from '../framework/command.ts';
import { CommandError } from '../framework/exit-status.ts';
import { fileValue, textValue, type ValueKind } from '../framework/value-kind.ts';
import { readPassword } from '../password-file.ts';
import type { Login } from './session.ts';

/** Where a Redfish service is, by what it is known, and by what the client logs in. */
export interface RemoteOptions {
  readonly url: URL;
  readonly user: string | undefined;
  readonly userPasswordFile: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  /** In the form of OpenSSL. */
  readonly fingerprint: string | undefined;
  readonly authorities: string | undefined;
}

const urlValue: ValueKind<URL> = { placeholder: 'URL', parse: parseUrl };

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url;
  throw new CommandError(
    'usage',
    `A Redfish service is named like https://bmc.example.com, without a user, not ${JSON.stringify(url?.password ? 'a URL with a password' : text)}.`,
  );
}

const fingerprintValue: ValueKind<string> = {
  placeholder: 'SHA256',
  parse(text) {
    const hex = text.replace(/^.*=|[:\s]/g, '');
    if (/^[\da-f]{64}$/i.test(hex)) return colonHex(hex);
    throw new CommandError('usage', `A SHA-256 fingerprint is 64 hexadecimal digits.`);
  },
};

export const remoteOptions = {
  url: {
    kind: urlValue,
    about: 'ask the Redfish service there, such as `https://bmc`, instead of the bus',
  },
  user: { kind: textValue('NAME'), about: 'with `--url`: log in with this name and a password' },
  'user-password-file': {
    kind: fileValue,
    about: 'with `--user`: a file with its password; `-` for standard input; else it is asked for',
  },
  'client-certificate': {
    kind: fileValue,
    about: 'with `--url`: log in with this certificate in PEM',
  },
  'client-key': {
    kind: fileValue,
    about: 'its private key in PEM (default: in the same file)',
  },
  fingerprint: {
    kind: fingerprintValue,
    about: 'with `--url`: SHA-256 fingerprint of the certificate of the service',
  },
  cacert: {
    kind: fileValue,
    about: 'with `--url`: CAs in PEM that vouch for the service and its name',
  },
} as const satisfies Options;

export const remoteEnvironment = {
  BMC_CERTS_URL: 'As `--url`, where neither that nor `--bus` is given.',
  BMC_CERTS_USER: 'As `--user`.',
  BMC_CERTS_PASSWORD_FILE: 'As `--user-password-file`: the name of a file, never a password.',
  XDG_STATE_HOME: 'Where `bmc-certs/known-hosts` is (default: `~/.local/state`).',
} as const;

type Given = Readonly<Record<string, unknown>>;

/** @returns `undefined` where the bus is to be asked. @throws CommandError `usage` */
export function readRemoteOptions(
  given: Given,
  environment: NodeJS.ProcessEnv,
): RemoteOptions | undefined {
  const text = (name: string) => {
    const value = given[name];
    return typeof value === 'string' ? value : undefined;
  };
  const isBus = text('bus') !== undefined;
  if (isBus && given.url !== undefined)
    throw new CommandError('usage', 'Give --bus or --url: there is one road at a time.');
  const fromEnvironment = isBus ? undefined : environment.BMC_CERTS_URL || undefined;
  const url = given.url instanceof URL ? given.url : fromEnvironment && parseUrl(fromEnvironment);
  if (!url) {
    const surplus = Object.keys(remoteOptions).find((name) => given[name] !== undefined);
    if (surplus === undefined) return undefined;
    throw new CommandError('usage', `--${surplus} is for a Redfish service: give --url, too.`);
  }
  const clientCertificate = text('client-certificate');
  // A client that shows a certificate has no session as well, unless the command line says so
  const user = text('user') ?? (clientCertificate === undefined ? environment.BMC_CERTS_USER : '');
  return {
    url,
    user: user || undefined,
    userPasswordFile: text('user-password-file') ?? environment.BMC_CERTS_PASSWORD_FILE,
    clientCertificate,
    clientKey: text('client-key'),
    fingerprint: text('fingerprint'),
    authorities: text('cacert'),
  };
}

/** Before anything is asked; a command that asks nothing needs no login. @throws CommandError `usage` */
export function refuseWithoutLogin({ user, clientCertificate }: RemoteOptions): void {
  if (user !== undefined || clientCertificate !== undefined) return;
  throw new CommandError('usage', 'Say who asks: give --user, or --client-certificate.');
}

/** Read only when the service is known. @throws CommandError `usage`, SetupError */
export async function readLogin({
  user,
  userPasswordFile,
}: RemoteOptions): Promise<Login | undefined> {
  if (user === undefined) return undefined;
  if (userPasswordFile !== undefined) {
    return { user, password: await readPassword(userPasswordFile) };
  }
  if (!process.stdin.isTTY) {
    const message = 'Say where the password is: give --user-password-file FILE.';
    throw new CommandError('usage', message);
  }
  return { user, password: await readPassword('-') };
}

/** @throws SetupError for a file that cannot be read, or holds no certificate */
export function readAuthorities({ authorities }: RemoteOptions): string | undefined {
  return authorities === undefined ? undefined : readCertificates(authorities);
}

/** @throws SetupError */
export function readCredential({ clientCertificate, clientKey }: RemoteOptions) {
  if (clientCertificate === undefined) return undefined;
  const cert = readCertificates(clientCertificate);
  return { cert, key: clientKey === undefined ? cert : readText(clientKey) };
}

function readCertificates(file: string): string {
  const text = readText(file);
  try {
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new SetupError(`The file ${file} holds no certificate in PEM.`, { cause });
  }
}

function readText(file: string): string {
  try {
    return readStream(file).toString('utf8');
  } catch (cause) {
    throw cannotBeRead(`The file ${file}`, cause);
  }
}
