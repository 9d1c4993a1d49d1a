import type { Log } from '../../platform/log.ts';
import { readStateText, writeStateText } from '../../platform/state-file.ts';
import type { SystemUsers } from '../../platform/system-users.ts';
import type { Accounts } from './accounts.ts';
import { accountPasswords, type Passwords } from './passwords.ts';
import { SystemUserDirectory } from './system-user-directory.ts';
import type { DirectoryPolicy, LoginOutcome, User, UserDirectory } from './user-directory.ts';

export interface UserSourceOptions {
  readonly source: 'auto' | 'file' | 'bus';
  readonly accounts: Accounts;
  readonly users: SystemUsers;
  /** A way to the passwords of the system's users, where there is one. */
  readonly passwords: Passwords | undefined;
  /** A file that says whose users counted last, `file` or `bus`. */
  readonly recordPath: string;
  readonly log: Log;
}

/**
 * Where the users are: in our own file, or in the system. With `auto` the file counts until the system's
 * user manager is seen for the first time, and never again after that, also not over a restart: else
 * whoever makes the user manager crash could come in with what the file has.
 */
export class UserSource implements UserDirectory {
  readonly #accounts: Accounts;
  readonly #system: SystemUserDirectory;
  readonly #onSwitch = new Set<() => void>();
  #current: UserDirectory;
  #switched = false;

  constructor(options: UserSourceOptions) {
    const { source, accounts, users, log, recordPath } = options;
    const passwords = options.passwords ?? accountPasswords(accounts);
    this.#accounts = accounts;
    this.#system = new SystemUserDirectory({ users, passwords, log });
    // Users whose passwords nobody can check would lock everybody out
    const follows = source === 'auto' && options.passwords !== undefined;
    const last = readStateText(recordPath)?.trim() === 'bus' ? 'bus' : 'file';
    const first = source === 'bus' || (follows && last === 'bus') ? 'bus' : 'file';
    this.#current = first === 'bus' ? this.#system : accounts;
    const record = (whose: string) => {
      this.#switched = true;
      log.info('other users count than before', { source: whose });
      for (const tell of this.#onSwitch) tell();
      void writeStateText(recordPath, whose).catch((error: unknown) => {
        log.error('not written whose users count', { reason: String(error) });
      });
    };
    if (first !== last) record(first);
    if (!follows) return;
    users.onFound(() => {
      if (!this.isFile) return;
      this.#current = this.#system;
      record('bus');
    });
  }

  /** Whether the accounts of our own file say who comes in, or what their passwords are. */
  get isFile(): boolean {
    return this.#current === this.#accounts;
  }

  /**
   * Told when other users count than before, at once when they do since the last run: a session from
   * before is of one who has no more than the name of somebody who counts now.
   */
  onSwitch(listener: () => void): void {
    this.#onSwitch.add(listener);
    if (this.#switched) listener();
  }

  list(): Promise<readonly User[]> {
    return this.#current.list();
  }

  find(userName: string): Promise<User | undefined> {
    return this.#current.find(userName);
  }

  async login(userName: string, password: string, clientAddress: string): Promise<LoginOutcome> {
    const asked = this.#current;
    const outcome = await asked.login(userName, password, clientAddress);
    // A password of the file says nothing of who has the same name in the system
    return asked === this.#current ? outcome : { kind: 'busy' };
  }

  get changes(): UserDirectory['changes'] {
    return this.#current.changes;
  }

  get policy(): DirectoryPolicy | undefined {
    return this.#current.policy;
  }
}
