import { lstat } from 'node:fs/promises';
import { stampOf } from '../storage/file-stamp.ts';
import { codeOf } from '../storage/io-errors.ts';
import { FileRefusal, readRegularFile } from '../storage/regular-file.ts';
import type { ContentLimits } from '../x509/limits.ts';
import { type Credential, CredentialFault, mustBeServable, readCredential } from './credential.ts';
import type { TlsProfileName } from './profile.ts';

/** A PEM file with a key and its certificates, and what it has to be good for. */
export interface CredentialFile {
  readonly path: string;
  /** The largest file that is read. */
  readonly maxBytes: number;
  readonly content: ContentLimits;
  readonly profile: TlsProfileName;
  /** Makes a credential that every profile can serve. */
  readonly makeSelfSigned: () => Credential;
}

/** What a file held, or why that cannot be served, in one of its states. */
export type Look = { readonly state: string } & (
  | { readonly credential: Credential }
  | { readonly fault: CredentialFault }
);

/** What tells one state of a path from another; also where nothing is, or the program may not look. */
export function stateOf(path: string): string {
  try {
    return stampOf(path) ?? 'ENOENT';
  } catch (error) {
    return codeOf(error);
  }
}

/** Reads and judges a file. Never rejects, whatever the file holds or is. */
export async function lookAt(file: CredentialFile): Promise<Look> {
  // The state first: a file that is replaced in between is then read again
  const state = stateOf(file.path);
  try {
    const text = await readRegularFile(file.path, file.maxBytes);
    const credential = readCredential(text, file.content);
    await mustBeServable(credential, file.profile, file.makeSelfSigned);
    return { state, credential };
  } catch (error) {
    return { state, fault: await faultOf(error, file) };
  }
}

async function faultOf(error: unknown, { path, maxBytes }: CredentialFile) {
  if (error instanceof CredentialFault) return error;
  if (error instanceof FileRefusal) return refusal(error, maxBytes);
  if (!(error instanceof Error)) return new CredentialFault(String(error));
  // What has no number is no error of the system, but one of a reader that says what is wrong
  if (!('errno' in error)) return new CredentialFault(error.message);
  const code = codeOf(error);
  if (code === 'ELOOP') return new CredentialFault('the file is a loop of links');
  if (['ENOENT', 'ENOTDIR'].includes(code)) {
    const isLink = await lstat(path).then(
      (one) => one.isSymbolicLink(),
      () => false,
    );
    return new CredentialFault(`the file is ${isLink ? 'a link that leads nowhere' : 'missing'}`);
  }
  return new CredentialFault(`the file cannot be read (${code})`, { mayPass: true });
}

function refusal({ reason }: FileRefusal, maxBytes: number): CredentialFault {
  switch (reason) {
    case 'empty':
      return new CredentialFault('the file is empty');
    case 'too-large':
      return new CredentialFault(`the file is larger than ${maxBytes} bytes`);
    case 'changing':
      return new CredentialFault('the file is being written', { mayPass: true });
    case 'not-regular':
    case 'foreign':
      return new CredentialFault('the path is no regular file');
  }
}
