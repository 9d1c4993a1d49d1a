import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { validateAccounts } from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { SetupError } from '../../platform/configuration.ts';
import { validate } from '../../platform/validation.ts';
import type { PasswordHash } from './password-hash.ts';
import type { RoleId } from './privileges.ts';

/** An account as it stands in the file; the absent members have the values of an ordinary one. */
export interface StoredAccount {
  readonly userName: string;
  readonly role: RoleId;
  readonly password: PasswordHash;
  readonly enabled?: boolean;
  readonly passwordChangeRequired?: boolean;
}

/** @throws SetupError when the file is there but not readable as what it should be */
export function readAccounts(path: string): readonly StoredAccount[] {
  const text = readIfThere(path);
  if (text === undefined) return [];
  const result = validate(validateAccounts, parseJson(text));
  if (!result.ok) throw new SetupError(`The file ${path} does not hold accounts.`);
  return result.value.accounts;
}

export async function writeAccounts(
  path: string,
  accounts: readonly StoredAccount[],
): Promise<void> {
  await makeDirectory(dirname(path), ownerOnly);
  await writeFileAtomic(path, `${JSON.stringify({ accounts }, null, 2)}\n`, ownerOnly);
}

/** The text of a file, `undefined` when there is none. @throws SetupError */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new SetupError(`The file ${path} cannot be read.`, { cause });
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
