import type { InterfaceSpec } from '../server/interface.ts';

/** The user manager of OpenBMC: its name, and the object below which each user is one. */
export const userManager = {
  name: 'xyz.openbmc_project.User.Manager',
  path: '/xyz/openbmc_project/user',
} as const;

/** phosphor-dbus-interfaces: xyz/openbmc_project/User/Manager, as far as we use it. */
export const userManagerInterface = {
  name: 'xyz.openbmc_project.User.Manager',
  methods: {
    CreateUser: {
      in: { UserName: 's', GroupNames: 'as', Privilege: 's', Enabled: 'b' },
      out: {},
      privileged: true,
    },
    RenameUser: { in: { UserName: 's', NewUserName: 's' }, out: {}, privileged: true },
    GetUserInfo: { in: { UserName: 's' }, out: { UserInfo: 'a{sv}' }, privileged: false },
  },
  properties: { AllPrivileges: 'as', AllGroups: 'as' },
  constant: ['AllPrivileges', 'AllGroups'],
  signals: { UserRenamed: { UserName: 's', NewUserName: 's' } },
} as const satisfies InterfaceSpec;

/** phosphor-dbus-interfaces: xyz/openbmc_project/User/Attributes */
export const userAttributesInterface = {
  name: 'xyz.openbmc_project.User.Attributes',
  methods: {},
  properties: {
    UserGroups: 'as',
    UserPrivilege: 's',
    UserEnabled: 'b',
    UserLockedForFailedAttempt: 'b',
    RemoteUser: 'b',
    UserPasswordExpired: 'b',
  },
  writable: [
    'UserGroups',
    'UserPrivilege',
    'UserEnabled',
    'UserLockedForFailedAttempt',
    'UserPasswordExpired',
  ],
  constant: ['RemoteUser'],
} as const satisfies InterfaceSpec;

/** phosphor-dbus-interfaces: xyz/openbmc_project/User/AccountPolicy */
export const accountPolicyInterface = {
  name: 'xyz.openbmc_project.User.AccountPolicy',
  methods: {},
  properties: {
    MaxLoginAttemptBeforeLockout: 'q',
    AccountUnlockTimeout: 'u',
    MinPasswordLength: 'y',
    RememberOldPasswordTimes: 'y',
  },
  writable: [
    'MaxLoginAttemptBeforeLockout',
    'AccountUnlockTimeout',
    'MinPasswordLength',
    'RememberOldPasswordTimes',
  ],
} as const satisfies InterfaceSpec;

/**
 * The path of a user's object. Every byte that is no letter or digit is written as `_` and two
 * hexadecimal digits, as sd_bus_path_encode(3) and with it the user manager do; so no name leads to
 * another object.
 */
export function userPath(name: string): string {
  const encoded = [...Buffer.from(name)].map((byte, at) => {
    const character = String.fromCharCode(byte);
    const plain = at === 0 ? /[A-Za-z]/ : /[A-Za-z0-9]/;
    return plain.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
  });
  return `${userManager.path}/${encoded.join('') || '_'}`;
}

/** The name of the user whose object is at a path; `undefined` for any other object. */
export function userNameOf(path: string): string | undefined {
  const [, encoded = ''] = /^\/xyz\/openbmc_project\/user\/([A-Za-z0-9_]+)$/.exec(path) ?? [];
  const name = Buffer.from(
    encoded.replace(/_([0-9a-f]{2})/g, (_, hex: string) => {
      return String.fromCharCode(Number.parseInt(hex, 16));
    }),
    'latin1',
  ).toString('utf8');
  return encoded !== '' && userPath(name) === path ? name : undefined;
}
