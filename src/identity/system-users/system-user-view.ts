import type { SystemUser } from '../../platform/system-users.ts';
import type { AccountType, User } from '../accounts/user-directory.ts';
import type { RoleId } from '../roles.ts';

const rolesByPrivilege: Readonly<Record<string, RoleId>> = {
  'priv-admin': 'Administrator',
  'priv-operator': 'Operator',
  'priv-user': 'ReadOnly',
};

/** The privilege of the user manager that each role is. */
export const privileges: Readonly<Record<RoleId, string>> = {
  Administrator: 'priv-admin',
  Operator: 'priv-operator',
  ReadOnly: 'priv-user',
};

/** What each group of the system lets its members use. */
const typesByGroup: Readonly<Record<string, readonly AccountType[]>> = {
  redfish: ['Redfish', 'WebUI'],
  web: ['WebUI'],
  ipmi: ['IPMI'],
  ssh: ['ManagerConsole'],
  hostconsole: ['HostConsole'],
};

/** One of them is needed to come in; users that are created here get both. */
export const ownGroups: readonly string[] = ['redfish', 'web'];

/** The names that a system has; nothing else travels to the bus or to PAM. */
export function isSystemName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/.test(name);
}

/** A user of the system as one of the service; `undefined` for who may not come in at all. */
export function asUser(one: SystemUser): User | undefined {
  const role = Object.hasOwn(rolesByPrivilege, one.privilege)
    ? rolesByPrivilege[one.privilege]
    : undefined;
  // Of a remote user no groups are told: that he has a privilege here is all there is
  const groups = one.remote ? ownGroups : one.groups;
  if (!role || !groups.some((group) => ownGroups.includes(group))) return undefined;
  const types = groups.flatMap((group) => {
    return Object.hasOwn(typesByGroup, group) ? (typesByGroup[group] ?? []) : [];
  });
  return {
    userName: one.name,
    role,
    enabled: one.enabled,
    locked: one.locked,
    passwordChangeRequired: one.passwordExpired,
    accountTypes: [...new Set(types)],
  };
}

export function isWorkingAdministrator(one: SystemUser): boolean {
  return asUser(one)?.role === 'Administrator' && one.enabled;
}
