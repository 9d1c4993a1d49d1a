import { isDeepStrictEqual } from 'node:util';
import { validateAccounts } from '../../../schemas/generated/validators.js';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { stampOf } from '../../storage/file-stamp.ts';
import { readState, writeState } from '../../storage/state-file.ts';
import type { RoleId } from '../roles.ts';
import { withAccountsLocked } from './account-lock.ts';
import type { PasswordHash } from './password-hash.ts';
import type { FollowRename } from './user-directory.ts';

/** An account as it stands in the file; the absent members have the values of an ordinary one. */
export interface StoredAccount {
  readonly userName: string;
  readonly role: RoleId;
  readonly password: PasswordHash;
  readonly enabled?: boolean;
  readonly passwordChangeRequired?: boolean;
}

/** A new name of an account. What other files have under the old one belongs to the account, too. */
interface Rename {
  readonly from: string;
  readonly to: string;
}

export interface StoredAccounts {
  readonly accounts: readonly StoredAccount[];
  /** Those that the other files do not follow yet. */
  readonly renames: readonly Rename[];
}

const form = { what: 'accounts', validator: validateAccounts };

/**
 * The file of accounts. Another program may write it, such as one that resets a password on the device: what stands
 * in it counts at once. A new name is stored together with a note that it is new, in one write: the followers take the
 * sessions, certificates and subscriptions of the account to the new name, and only then the note goes. So a power cut
 * at any moment leaves the account with all that it had, under one of the two names.
 */
export class AccountFile {
  readonly #path: string;
  readonly #log: Pick<Log, 'error'> | undefined;
  readonly #followers = new Set<FollowRename>();
  #following: Promise<unknown> | undefined;
  #known: StoredAccounts;
  #stamp: string | undefined;

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, log?: Pick<Log, 'error'>) {
    this.#path = path;
    this.#log = log;
    this.#stamp = stampOf(path);
    this.#known = readAccounts(this.#path);
  }

  /** As they stand in the file; as they were where that cannot be read any more. */
  current(): readonly StoredAccount[] {
    try {
      if (stampOf(this.#path) !== this.#stamp) this.#read();
    } catch (error) {
      const reason = reasonOf(error);
      this.#log?.error('the accounts cannot be read, the old ones stay', { reason });
    }
    return this.#known.accounts;
  }

  /** As they stand in the file, over which nobody writes what could not be read. @throws SetupError */
  writable(): readonly StoredAccount[] {
    this.#read();
    return this.#known.accounts;
  }

  /** While no other program changes the file. @returns what is written */
  change(alter: (before: StoredAccounts) => StoredAccounts): Promise<readonly StoredAccount[]> {
    return withAccountsLocked(this.#path, async () => {
      this.#read();
      const { accounts, renames } = alter(this.#known);
      await writeState(this.#path, { accounts, ...(renames.length > 0 && { renames }) });
      this.#adopt({ accounts, renames });
      // Somebody else may have written since, so the next use looks for itself
      this.#stamp = 'written';
      return accounts;
    });
  }

  /** The follower is told of each new name before the account is found by it, and of those that are on record at once. */
  onRename(follow: FollowRename): void {
    this.#followers.add(follow);
    for (const { from, to } of this.#known.renames) follow(from, to).catch(() => undefined);
  }

  /** Has every follower follow, and takes the new names from the record. @throws when one of them cannot now */
  async settleRenames(): Promise<void> {
    this.current();
    const { renames } = this.#known;
    if (renames.length === 0) return;
    const following = this.#following ?? this.#tell(renames);
    this.#following = undefined;
    await following;
    const isDone = (one: Rename) => renames.some((other) => isDeepStrictEqual(one, other));
    await this.change((stored) => ({
      ...stored,
      renames: stored.renames.filter((one) => !isDone(one)),
    }));
  }

  /** In the same breath: nobody finds an account by its new name with what it has under the old one. */
  #adopt(stored: StoredAccounts): void {
    const before = this.#known.renames;
    const begun = stored.renames.filter(
      (one) => !before.some((old) => isDeepStrictEqual(old, one)),
    );
    this.#known = stored;
    if (begun.length === 0) return;
    this.#following = this.#tell(begun);
    this.#following.catch(() => undefined);
  }

  #tell(renames: readonly Rename[]): Promise<unknown> {
    const followers = [...this.#followers];
    return Promise.all(renames.flatMap(({ from, to }) => followers.map((one) => one(from, to))));
  }

  /** @throws SetupError */
  #read(): void {
    const stamp = stampOf(this.#path);
    try {
      this.#adopt(readAccounts(this.#path));
    } catch (error) {
      // A disk that did not answer is asked again at the next use, damage is looked at when it changes
      this.#stamp = error instanceof Error && error.cause !== undefined ? 'unread' : stamp;
      throw error;
    }
    this.#stamp = stamp;
  }
}

/** @throws SetupError when the file is there but not readable as what it should be */
export function readAccounts(path: string): StoredAccounts {
  const { accounts = [], renames = [] } = readState(path, form) ?? {};
  return { accounts, renames };
}
