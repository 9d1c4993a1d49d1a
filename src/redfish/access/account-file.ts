import { validateAccounts } from '../../../schemas/generated/validators.js';
import { readState, writeState } from '../../platform/state-file.ts';
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

const form = { what: 'accounts', validator: validateAccounts };

/** @throws SetupError when the file is there but not readable as what it should be */
export function readAccounts(path: string): readonly StoredAccount[] {
  return readState(path, form)?.accounts ?? [];
}

export async function writeAccounts(
  path: string,
  accounts: readonly StoredAccount[],
): Promise<void> {
  await writeState(path, { accounts });
}
