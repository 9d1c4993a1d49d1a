import { deleteInterface } from '../../src/dbus/certs/certs-interfaces.ts';
import {
  accountPolicyInterface,
  userAttributesInterface,
  userManager,
  userManagerInterface,
  userPath,
} from '../../src/dbus/peers/user-interfaces.ts';
import { DBusProtocolError, type ErrorReply } from '../../src/dbus/server/error-names.ts';
import { type ServedInterface, serve } from '../../src/dbus/server/interface.ts';
import { ObjectServer } from '../../src/dbus/server/object-server.ts';
import { type Bus, connectBus } from '../../src/dbus/transport/bus.ts';
import { requestName } from '../../src/dbus/transport/bus-name.ts';

export interface FakeUser {
  groups: string[];
  privilege: string;
  enabled: boolean;
  locked: boolean;
  expired: boolean;
  remote: boolean;
}

/** A user manager like OpenBMC's on a private bus, with users as plain data that tests change. */
export interface FakeUserManager {
  readonly users: Map<string, FakeUser>;
  readonly policy: { attempts: number; unlockSeconds: number; minLength: number };
  /** Calls that change something, as `Member argument …`. */
  readonly asked: string[];
  /** Answers the next call of a member, or the next set of a property, with this error. */
  failNext(member: string, errorName: string): void;
  addUser(name: string, user?: Partial<FakeUser>): void;
  removeUser(name: string): void;
  /** Gives up its name as a crash does. */
  leave(): void;
  /** Takes it again on another connection. */
  come(): Promise<void>;
}

const ordinary: FakeUser = {
  groups: ['redfish', 'web'],
  privilege: 'priv-user',
  enabled: true,
  locked: false,
  expired: false,
  remote: false,
};

class Refusal extends DBusProtocolError {
  override readonly reply: ErrorReply;

  constructor(name: string) {
    super('Failed', name);
    this.reply = { name, text: 'as the test wants it' };
  }
}

export async function startFakeUserManager(address: string): Promise<FakeUserManager> {
  const users = new Map<string, FakeUser>();
  const policy = { attempts: 5, unlockSeconds: 300, minLength: 8 };
  const asked: string[] = [];
  const failures = new Map<string, string>();
  let bus: Bus | undefined;
  let server: ObjectServer | undefined;

  const meet = (member: string, ...words: readonly unknown[]) => {
    if (member !== 'GetUserInfo') asked.push([member, ...words].join(' '));
    const failure = failures.get(member);
    failures.delete(member);
    if (failure !== undefined) throw new Refusal(failure);
  };
  const present = (name: string): FakeUser => {
    const user = users.get(name);
    if (user) return user;
    throw new Refusal('xyz.openbmc_project.User.Common.Error.UserNameDoesNotExist');
  };
  const objectOf = (name: string): readonly ServedInterface[] => {
    const user = present(name);
    const setter =
      <T>(property: string, change: (value: T) => void) =>
      (value: T) => {
        meet(property, name, value);
        change(value);
      };
    return [
      serve(userAttributesInterface, {
        methods: {},
        properties: {
          UserGroups: () => user.groups,
          UserPrivilege: () => user.privilege,
          UserEnabled: () => user.enabled,
          UserLockedForFailedAttempt: () => user.locked,
          RemoteUser: () => user.remote,
          UserPasswordExpired: () => user.expired,
        },
        setters: {
          UserGroups: setter('UserGroups', (value: string[]) => {
            user.groups = value;
          }),
          UserPrivilege: setter('UserPrivilege', (value: string) => {
            user.privilege = value;
          }),
          UserEnabled: setter('UserEnabled', (value: boolean) => {
            user.enabled = value;
          }),
          UserLockedForFailedAttempt: setter('UserLockedForFailedAttempt', (value: boolean) => {
            user.locked = value;
          }),
          UserPasswordExpired: setter('UserPasswordExpired', (value: boolean) => {
            user.expired = value;
          }),
        },
      }),
      serve(deleteInterface, {
        properties: {},
        methods: {
          Delete: () => {
            meet('Delete', name);
            fake.removeUser(name);
            return undefined;
          },
        },
      }),
    ];
  };

  const fake: FakeUserManager = {
    users,
    policy,
    asked,
    failNext: (member, errorName) => failures.set(member, errorName),
    addUser(name, user = {}) {
      users.set(name, { ...ordinary, ...user });
      if (user.remote !== true) server?.add(userPath(name), objectOf(name));
    },
    removeUser(name) {
      users.delete(name);
      server?.remove(userPath(name));
    },
    leave() {
      bus?.close();
      bus = undefined;
      server = undefined;
    },
    async come() {
      const connection = await connectBus(address);
      bus = connection;
      server = new ObjectServer({
        bus: connection,
        root: userManager.path,
        authorize: async () => undefined,
        follow: (_call, _method, work) => work(),
        report: () => undefined,
      });
      server.add(userManager.path, [
        serve(userManagerInterface, {
          properties: {
            AllPrivileges: () => ['priv-admin', 'priv-operator', 'priv-user'],
            AllGroups: () => ['hostconsole', 'ipmi', 'redfish', 'ssh', 'web'],
          },
          methods: {
            CreateUser: ({ UserName, GroupNames, Privilege, Enabled }) => {
              meet('CreateUser', UserName, GroupNames.join(','), Privilege, Enabled);
              if (users.has(UserName)) {
                throw new Refusal('xyz.openbmc_project.User.Common.Error.UserNameExists');
              }
              fake.addUser(UserName, {
                groups: GroupNames,
                privilege: Privilege,
                enabled: Enabled,
              });
              return undefined;
            },
            RenameUser: ({ UserName, NewUserName }) => {
              meet('RenameUser', UserName, NewUserName);
              const user = present(UserName);
              if (users.has(NewUserName)) {
                throw new Refusal('xyz.openbmc_project.User.Common.Error.UserNameExists');
              }
              if (!/^[A-Za-z_][\w.-]{0,31}$/.test(NewUserName)) {
                throw new Refusal('xyz.openbmc_project.Common.Error.InvalidArgument');
              }
              fake.removeUser(UserName);
              fake.addUser(NewUserName, user);
              return undefined;
            },
            GetUserInfo: ({ UserName }) => {
              meet('GetUserInfo', UserName);
              const user = present(UserName);
              const common = {
                UserPrivilege: { signature: 's', value: user.privilege },
                RemoteUser: { signature: 'b', value: user.remote },
              };
              if (user.remote) return common;
              return {
                ...common,
                UserGroups: { signature: 'as', value: user.groups },
                UserEnabled: { signature: 'b', value: user.enabled },
                UserLockedForFailedAttempt: { signature: 'b', value: user.locked },
                UserPasswordExpired: { signature: 'b', value: user.expired },
              };
            },
          },
        }),
        serve(accountPolicyInterface, {
          methods: {},
          properties: {
            MaxLoginAttemptBeforeLockout: () => policy.attempts,
            AccountUnlockTimeout: () => policy.unlockSeconds,
            MinPasswordLength: () => policy.minLength,
            RememberOldPasswordTimes: () => 0,
          },
          setters: {
            MaxLoginAttemptBeforeLockout: (value) => {
              meet('MaxLoginAttemptBeforeLockout', value);
              policy.attempts = value;
            },
            AccountUnlockTimeout: (value) => {
              meet('AccountUnlockTimeout', value);
              policy.unlockSeconds = value;
            },
            MinPasswordLength: (value) => {
              meet('MinPasswordLength', value);
              policy.minLength = value;
            },
            RememberOldPasswordTimes: () => undefined,
          },
        }),
      ]);
      for (const [name, { remote }] of users) {
        if (!remote) server.add(userPath(name), objectOf(name));
      }
      await requestName(connection, userManager.name);
    },
  };
  await fake.come();
  return fake;
}
