import { CertError } from '../../core/cert-error.ts';
import type { Accounts } from '../../identity/accounts/accounts.ts';
import type { GuardedUsers } from '../../identity/accounts/guarded-users.ts';
import { setOperatorPassword } from '../../identity/accounts/operator-account.ts';
import type { LoginOutcome, UserChange } from '../../identity/accounts/user-directory.ts';
import { IdentityError } from '../../identity/identity-error.ts';
import { isRoleId } from '../../identity/roles.ts';
import { DBusProtocolError } from '../server/error-names.ts';
import { type Implementation, type ServedInterface, serve } from '../server/interface.ts';
import type { AccountChanges } from './account-changes.ts';
import { toBusError } from './account-errors.ts';
import {
  type AccountTuple,
  accountsInterface,
  type Dictionary,
  fromPolicy,
  toAccount,
} from './accounts-interface.ts';

export interface AccountsObjectOptions {
  readonly accounts: Accounts;
  readonly users: GuardedUsers;
  readonly changes: AccountChanges;
  /** Numbers of the users who may set the password of the operator. */
  readonly operators: readonly number[];
}

const noAccount: AccountTuple = ['', '', false, false, false, ''];

/** Serves the accounts to the edges. Which user may do what is the edges' to judge. */
export function accountsObject(options: AccountsObjectOptions): ServedInterface {
  const { accounts, users, changes, operators } = options;
  const methods: Implementation<typeof accountsInterface>['methods'] = {
    Watch: (_, { name }) => changes.watch(name),
    async Authenticate({ UserName, Password, Address, Edge, Attempt }) {
      const login = { userName: UserName, address: Address, edge: Edge, id: Attempt };
      // Bytes that are no text are no password of any user, and cost a guesser what a wrong password costs
      const outcome: LoginOutcome = await users.login(login, Password.toString('utf8'));
      return [outcome.kind, 'user' in outcome ? toAccount(outcome.user) : noAccount];
    },
    async Create({ UserName, Password, Role, Enabled, PasswordChangeRequired }) {
      return toAccount(
        await users.changes.create({
          userName: UserName,
          password: textOf(Password),
          role: roleOf(Role),
          enabled: Enabled,
          passwordChangeRequired: PasswordChangeRequired,
        }),
      );
    },
    async Update({ UserName, Changes, KnownStamp, NextStamp }) {
      const isOwn = KnownStamp !== '' || NextStamp !== '';
      if (isOwn && !/^[0-9a-f]{32}$/.test(NextStamp)) throw invalid('NextStamp');
      const own = isOwn ? { passwordStamp: KnownStamp, nextStamp: NextStamp } : undefined;
      return toAccount(await users.changes.update(UserName, changeOf(Changes), own));
    },
    async Remove({ UserName }) {
      await users.changes.remove(UserName);
      return undefined;
    },
    async SetPolicy({ Policy }) {
      const members = fromPolicy(Policy);
      if (!members) throw invalid('Policy');
      await accounts.policy.change(members);
      return undefined;
    },
    async SetOperatorPassword({ Password }, { user }) {
      if (user === undefined || !operators.includes(user)) {
        throw new CertError('access-denied', `user ${user ?? 'unknown'} may not set this password`);
      }
      const name = await setOperatorPassword(accounts, textOf(Password));
      users.unlock(name);
      return name;
    },
  };
  const served = serve(accountsInterface, { methods, properties: {} });
  return {
    ...served,
    async call(...about) {
      try {
        return await served.call(...about);
      } catch (error) {
        throw toBusError(error);
      }
    },
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws DBusProtocolError for a member that is unknown or of another type */
function changeOf(members: Dictionary): UserChange {
  const change: Mutable<UserChange> = {};
  for (const [name, { signature, value }] of Object.entries(members)) {
    const as = `${name} ${signature}`;
    if (as === 'UserName s') change.userName = String(value);
    else if (as === 'Role s') change.role = roleOf(String(value));
    else if (as === 'Enabled b') change.enabled = value === true;
    else if (as === 'PasswordChangeRequired b') change.passwordChangeRequired = value === true;
    else if (as === 'Locked b' && value === false) change.locked = false;
    else if (as === 'Password ay' && Buffer.isBuffer(value)) change.password = textOf(value);
    else throw invalid(name);
  }
  return change;
}

function roleOf(role: string) {
  if (!isRoleId(role)) throw invalid('Role');
  return role;
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new IdentityError('password-refused', '', 'A password is text in UTF-8');
  }
}

function invalid(name: string): DBusProtocolError {
  return new DBusProtocolError('InvalidArgs', `The argument ${name.slice(0, 64)} is not valid.`);
}
