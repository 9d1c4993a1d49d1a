import type { AccountPolicy } from '../../identity/accounts/account-policy.ts';
import type { Rename, User, UserChange } from '../../identity/accounts/user-directory.ts';
import { isRoleId } from '../../identity/roles.ts';
import type { InterfaceSpec, TypedValue } from '../server/interface.ts';

export const accountsName = 'xyz.openbmc_project.Certs.Accounts';
export const accountsRoot = '/xyz/openbmc_project/certs/accounts';

const interfaceName = 'xyz.openbmc_project.Certs.Extension.Accounts';
const account = { Account: '(ssbbbs)' } as const;

/** Everything is privileged, reading too: names and states of accounts are for the edges alone. */
export const accountsInterface = {
  name: interfaceName,
  about:
    `Of the account manager: ${accountsName}, ${accountsRoot}. Its callers are root, its own user, and the users that ` +
    '`users.access` of the [configuration](configuration.md) names. An account is its name, its role ' +
    '(`Administrator`, `Operator`, `ReadOnly`), whether it is enabled, whether an address is locked out of it, whether its ' +
    'password has to be changed, and a random number that is another one after each change of the password. Hashes never ' +
    'leave the account manager. A password is UTF-8.\n\n' +
    '`Watch` answers with a version, all accounts, the last renames and removals (a serial number, the old name, and the new name, which is empty after a removal) and the rules; ' +
    'from then on the caller alone is sent each `Changed`, with the next version and what is different. `Authenticate` answers with ' +
    '`ok`, `wrong`, `locked`, `disabled` or `busy`, and the account if it is `ok`; `Address` is that of the client, `Edge` and ' +
    '`Attempt` name the edge and the login in the audit. `Changes` of `Update` are any of `UserName`, `Password` (`ay`), ' +
    '`Role`, `Enabled`, `PasswordChangeRequired`, and `Locked` that is false. Where a user changes the own password, ' +
    '`KnownStamp` is the number of the password by which the user is known, and `NextStamp` becomes that of the new password; ' +
    'both are empty elsewhere. `SetOperatorPassword`, for root and the own user, makes `admin` an enabled administrator. ' +
    `Errors are ${interfaceName}.Error.<Reason>, such as \`LastAdministrator\` or \`PasswordRefused\`, with a sentence.`,
  methods: {
    Watch: {
      in: {},
      out: { State: '(ta(ssbbbs)a(tss)a{sv})' },
      privileged: true,
      reads: true,
    },
    Authenticate: {
      in: { UserName: 's', Password: 'ay', Address: 's', Edge: 's', Attempt: 's' },
      out: { Result: '(s(ssbbbs))' },
      privileged: true,
      reads: true,
    },
    Create: {
      in: { UserName: 's', Password: 'ay', Role: 's', Enabled: 'b', PasswordChangeRequired: 'b' },
      out: account,
      privileged: true,
    },
    Update: {
      in: { UserName: 's', Changes: 'a{sv}', KnownStamp: 's', NextStamp: 's' },
      out: account,
      privileged: true,
    },
    Remove: { in: { UserName: 's' }, out: {}, privileged: true },
    SetPolicy: { in: { Policy: 'a{sv}' }, out: {}, privileged: true },
    SetOperatorPassword: { in: { Password: 'ay' }, out: { UserName: 's' }, privileged: true },
  },
  properties: {},
  signals: {
    Changed: {
      Version: 't',
      Accounts: 'a(ssbbbs)',
      Gone: 'as',
      Renames: 'a(tss)',
      Policy: 'a{sv}',
    },
  },
} as const satisfies InterfaceSpec;

export type AccountTuple = [string, string, boolean, boolean, boolean, string];
export type RenameTuple = [bigint, string, string];
export type Dictionary = Readonly<Record<string, TypedValue>>;

export function toAccount(user: User): AccountTuple {
  const { userName, role, enabled, locked, passwordChangeRequired, passwordStamp = '' } = user;
  return [userName, role, enabled, locked, passwordChangeRequired, passwordStamp];
}

/** @returns `undefined` for a role that this version does not know: no user comes in with it */
export function fromAccount(tuple: AccountTuple): User | undefined {
  const [userName, role, enabled, locked, passwordChangeRequired, passwordStamp] = tuple;
  if (!isRoleId(role)) return undefined;
  return {
    ...{ userName, role, enabled, locked, passwordChangeRequired, passwordStamp },
    accountTypes: ['Redfish', 'WebUI'],
  };
}

/** The members of a change that are given, as `Update` takes them. */
export function toChanges(change: UserChange): Dictionary {
  const variant = (signature: string, value: unknown) => ({ signature, value });
  return {
    ...(change.userName !== undefined && { UserName: variant('s', change.userName) }),
    ...(change.password !== undefined && {
      Password: variant('ay', Buffer.from(change.password)),
    }),
    ...(change.role !== undefined && { Role: variant('s', change.role) }),
    ...(change.enabled !== undefined && { Enabled: variant('b', change.enabled) }),
    ...(change.locked !== undefined && { Locked: variant('b', change.locked) }),
    ...(change.passwordChangeRequired !== undefined && {
      PasswordChangeRequired: variant('b', change.passwordChangeRequired),
    }),
  };
}

export function toRename({ serial, from, to }: Required<Rename>): RenameTuple {
  return [BigInt(serial), from, to];
}

export function fromRename([serial, from, to]: RenameTuple): Required<Rename> {
  return { serial: Number(serial), from, to };
}

const policySignatures = {
  minPasswordLength: 'u',
  maxPasswordLength: 'u',
  lockoutThreshold: 'u',
  lockoutSeconds: 'u',
  lockoutResetSeconds: 'u',
  lockoutResetEnabled: 'b',
} as const satisfies Record<keyof AccountPolicy, 'u' | 'b'>;

export function toPolicy(policy: Partial<AccountPolicy>): Dictionary {
  const members = Object.entries(policySignatures).flatMap(([name, signature]) => {
    const value = policy[name as keyof AccountPolicy];
    return value === undefined ? [] : [[onBus(name), { signature, value }] as const];
  });
  return Object.fromEntries(members);
}

/** @returns `undefined` when a member is unknown or of another type */
export function fromPolicy(dictionary: Dictionary): Partial<AccountPolicy> | undefined {
  const known = new Map(
    Object.entries(policySignatures).map(([name, signature]) => [onBus(name), { name, signature }]),
  );
  const members = Object.entries(dictionary).map(([key, { signature, value }]) => {
    const found = known.get(key);
    return found?.signature === signature ? ([found.name, value] as const) : undefined;
  });
  if (members.includes(undefined)) return undefined;
  return Object.fromEntries(members.flatMap((member) => (member ? [member] : [])));
}

function onBus(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
