import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import type { SystemUsers } from '../../platform/system-users.ts';
import { readStateText, writeStateText } from '../../storage/state-file.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { accountPasswords, type Passwords } from '../accounts/passwords.ts';
import type {
  DirectoryPolicy,
  FollowRename,
  LoginOutcome,
  User,
  UserDirectory,
} from '../accounts/user-directory.ts';
import { SystemUserDirectory } from './system-user-directory.ts';

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

/** Whose users count. */
type UserBackend = 'file' | 'bus';

/** What is of users, and must not be of others who have no more than their names. */
export interface UserOwnedData {
  /** Ends it in memory. */
  end(): void;
  /** Has the file say what memory says. */
  store(): Promise<unknown>;
}

/**
 * Where the users are: in our own file, or in the system. With `auto` the file counts until the system's
 * user manager is seen for the first time, and never again after that, also not over a restart: else
 * whoever makes the user manager crash could come in with what the file has.
 */
export class UserSource implements UserDirectory {
  readonly #options: UserSourceOptions;
  readonly #system: SystemUserDirectory;
  readonly #ofUsers = new Set<UserOwnedData>();
  /** Whether the file may have to give way to the user manager. */
  readonly #follows: boolean;
  /** What is on record. */
  #recorded: UserBackend;
  #current: UserDirectory;
  readonly #turn = new Mutex();

  /** @throws SetupError when the record is there and cannot be read */
  constructor(options: UserSourceOptions) {
    const { source, accounts, users, log, recordPath } = options;
    const passwords = options.passwords ?? accountPasswords(accounts);
    this.#options = options;
    this.#system = new SystemUserDirectory({ users, passwords, log });
    // Users whose passwords nobody can check would lock everybody out
    this.#follows = source === 'auto' && options.passwords !== undefined;
    this.#recorded = readStateText(recordPath)?.trim() === 'bus' ? 'bus' : 'file';
    const isBus = source === 'bus' || (this.#follows && this.#recorded === 'bus');
    this.#current = isBus ? this.#system : accounts;
  }

  /** To be called when all have said what is of users: there may have been a switch since the last run. */
  start(): void {
    if (this.#whose !== this.#recorded) this.#switched();
    if (!this.#follows) return;
    this.#options.users.onFound(() => {
      if (!this.isFile) return;
      this.#current = this.#system;
      this.#switched();
    });
  }

  /** Of both, for one may take the place of the other. */
  onRename(follow: FollowRename): void {
    this.#options.accounts.onRename(follow);
    this.#system.onRename(follow);
  }

  settleRenames(): Promise<void> {
    return this.#options.accounts.settleRenames();
  }

  /** Whether the accounts of our own file say who comes in, or what their passwords are. */
  get isFile(): boolean {
    return this.#current === this.#options.accounts;
  }

  /** Has something of users end with them, when other users count. */
  onSwitch(ofUsers: UserOwnedData): void {
    this.#ofUsers.add(ofUsers);
  }

  /**
   * Puts on record whose users count, where it is not yet. First the files of what was of the others: a
   * start after a crash makes a switch again that is not on record, and none that is.
   */
  settle(): Promise<void> {
    return this.#turn.run(async () => {
      const { log, recordPath } = this.#options;
      const source = this.#whose;
      if (source === this.#recorded) return;
      try {
        await Promise.all([...this.#ofUsers].map((one) => one.store()));
        await writeStateText(recordPath, source);
        this.#recorded = source;
      } catch (error) {
        log.error('not written whose users count', { reason: String(error) });
      }
    });
  }

  get #whose(): UserBackend {
    return this.isFile ? 'file' : 'bus';
  }

  #switched(): void {
    this.#options.log.info('other users count than before', { source: this.#whose });
    for (const one of this.#ofUsers) one.end();
    void this.settle();
  }

  list(): Promise<readonly User[]> {
    return this.#current.list();
  }

  find(userName: string): Promise<User | undefined> {
    return this.#current.find(userName);
  }

  passwordStamp(userName: string): string | undefined {
    return this.#current.passwordStamp?.(userName);
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
