import { isDeepStrictEqual } from 'node:util';
import type { Accounts } from '../../identity/accounts/accounts.ts';
import type { GuardedUsers } from '../../identity/accounts/guarded-users.ts';
import {
  type AccountTuple,
  type Dictionary,
  type RenameTuple,
  toAccount,
  toPolicy,
  toRename,
} from './accounts-interface.ts';

interface State {
  readonly accounts: readonly AccountTuple[];
  readonly renames: readonly RenameTuple[];
  readonly policy: Dictionary;
}

/** The version, all accounts, the last renames and the rules. */
type WholeState = [bigint, AccountTuple[], RenameTuple[], Dictionary];

/**
 * What the edges have been told of the accounts, each alone: a signal to all would show every user of the bus who has an
 * account. An edge whose version does not follow asks for everything again.
 */
export class AccountChanges {
  readonly #accounts: Accounts;
  readonly #users: GuardedUsers;
  readonly #send: (destination: string, body: readonly unknown[]) => void;
  readonly #watchers = new Set<string>();
  #version = 0n;
  #told: State;

  constructor(
    accounts: Accounts,
    users: GuardedUsers,
    send: (destination: string, body: readonly unknown[]) => void,
  ) {
    this.#accounts = accounts;
    this.#users = users;
    this.#send = send;
    this.#told = this.#now();
    accounts.onChange(() => this.#tell());
    users.onLock(() => this.#tell());
  }

  watch(name: string): WholeState {
    this.#watchers.add(name);
    const { accounts, renames, policy } = this.#told;
    return [this.#version, [...accounts], [...renames], policy];
  }

  forget(name: string): void {
    this.#watchers.delete(name);
  }

  /** @param authorize rejects for a connection that may not know the accounts any more */
  async keepOnly(authorize: (name: string) => Promise<unknown>): Promise<void> {
    const names = [...this.#watchers];
    await Promise.all(names.map((name) => authorize(name).catch(() => this.forget(name))));
  }

  #tell(): void {
    const [before, now] = [this.#told, this.#now()];
    if (isDeepStrictEqual(before, now)) return;
    this.#told = now;
    this.#version += 1n;
    const known = new Set(before.accounts.map((account) => JSON.stringify(account)));
    const names = new Set(now.accounts.map(([name]) => name));
    const [lastSerial] = before.renames.at(-1) ?? [0n];
    const body = [
      this.#version,
      now.accounts.filter((account) => !known.has(JSON.stringify(account))),
      before.accounts.map(([name]) => name).filter((name) => !names.has(name)),
      now.renames.filter(([serial]) => serial > lastSerial),
      now.policy,
    ];
    for (const watcher of this.#watchers) this.#send(watcher, body);
  }

  #now(): State {
    return {
      accounts: this.#accounts.users.map((user) => toAccount(this.#users.withLock(user))),
      renames: this.#accounts.renames.map(toRename),
      policy: toPolicy(this.#accounts.rules),
    };
  }
}
