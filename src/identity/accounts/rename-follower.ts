import { validateFollowedRenames } from '../../../schemas/generated/validators.js';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { readState, StateFile } from '../../storage/state-file.ts';
import { type Rename, removed, type Users } from './user-directory.ts';

/**
 * Takes what a user has under the old name to the new name, or gives it up where the account was removed and `to` is
 * `undefined`: in memory before it returns, on the disk when the promise is fulfilled. It may be told of a name that it has
 * followed already.
 */
export type FollowRename = (from: string, to: string | undefined) => Promise<void>;

interface Owed {
  readonly rename: Rename;
  /** The followers at it, until one of them failed. */
  following: Promise<unknown> | undefined;
}

const form = { what: 'the renames that were followed', validator: validateFollowedRenames };

/**
 * Has what an edge keeps under names of users follow their new names and go with their accounts, also for the time in
 * which the edge did not run: a file has the serial number of the last rename that everything on the disk follows.
 */
export class RenameFollower {
  readonly #log: Pick<Log, 'error'>;
  readonly #file: StateFile<{ readonly serial: number }>;
  readonly #followers: FollowRename[] = [];
  readonly #turn = new Mutex();
  #owed: readonly Owed[] = [];
  #serial: number;
  #isComplete = false;

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, log: Pick<Log, 'error'>) {
    this.#log = log;
    this.#file = new StateFile(path, readState(path, form) ?? { serial: 0 });
    this.#serial = this.#file.value.serial;
  }

  start(users: Pick<Users, 'onRename'>): void {
    users.onRename((rename) => this.#follow(rename));
  }

  /** The follower hears at once of the names that are not followed on the disk. */
  add(follow: FollowRename): void {
    this.#followers.push(follow);
    for (const one of this.#owed) one.following = this.#tell(one.rename);
  }

  /** To be called when every follower is there: only then a rename is done with. */
  async complete(): Promise<void> {
    this.#isComplete = true;
    await this.settle();
  }

  /** Resolves when everything has followed every name. @throws what the disk throws; the next call tries again */
  settle(): Promise<void> {
    return this.#turn.run(async () => {
      for (const one of this.#isComplete ? this.#owed : []) {
        const following = one.following ?? this.#tell(one.rename);
        one.following = undefined;
        await following;
        const { serial } = one.rename;
        if (serial !== undefined) await this.#file.change(() => ({ serial }));
        this.#owed = this.#owed.filter((other) => other !== one);
      }
    });
  }

  #follow(rename: Rename): void {
    if (rename.serial !== undefined) {
      if (rename.serial <= this.#serial) return;
      this.#serial = rename.serial;
    }
    this.#owed = [...this.#owed, { rename, following: this.#tell(rename) }];
    void this.settle().catch((error: unknown) => {
      const { from: user, to: name } = rename;
      const reason = reasonOf(error);
      this.#log.error('not all data of a user follows the account yet', {
        user,
        name,
        reason,
      });
    });
  }

  #tell({ from, to }: Rename): Promise<unknown> {
    const following = Promise.all(
      this.#followers.map((follow) => follow(from, to === removed ? undefined : to)),
    );
    following.catch(() => undefined);
    return following;
  }
}
