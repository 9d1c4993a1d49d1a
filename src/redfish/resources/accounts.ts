import {
  validateAccountCreate,
  validateAccountPatch,
} from '../../../schemas/generated/validators.js';
import type { Access } from '../access/access.ts';
import { accountUri, type Identity, passwordChangeRequired } from '../access/authentication.ts';
import { hasPrivilege } from '../access/privileges.ts';
import type { NewUser, OwnPasswordChange, User, UserChange } from '../access/user-directory.ts';
import type { Events } from '../events/events.ts';
import { notWritable } from '../http/request-body.ts';
import { Turns } from '../http/turns.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import {
  json,
  link,
  type Operation,
  type RequestContext,
  type ResourceFactory,
} from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import {
  accountTypes,
  changesOf,
  changing,
  refuseBadMembers,
  refuseBadName,
  refuseSelfHarm,
} from './account-changes.ts';
import { createUser, removeUser } from './account-life.ts';

const collection = '/redfish/v1/AccountService/Accounts';

/** The accounts (DMTF ManagerAccount): a user sees his own, who may configure users everybody's. */
export const accounts: ResourceFactory = ({ access, events }) => {
  const lives: Lives = new Turns();
  const POST = createAccount(access, events, lives);
  return [
    {
      path: collection,
      entity: 'ManagerAccountCollection',
      operations: {
        GET: { handle: async ({ identity }) => json(await list(access, identity)) },
        POST,
      },
    },
    // DSP0266: a collection also takes POST at the URI of its Members property
    {
      path: `${collection}/Members`,
      entity: 'ManagerAccountCollection',
      operations: { POST },
    },
    {
      path: `${collection}/:name`,
      entity: 'ManagerAccount',
      operations: {
        GET: { handle: async (context) => json(view(access, await visible(access, context))) },
        PATCH: {
          handle: async (context) => json(view(access, await change(access, events, context))),
        },
        DELETE: { handle: (context) => remove(access, events, lives, context) },
      },
    },
  ];
};

/**
 * Beginnings and ends of accounts, one after the other for each name: what goes with an account must not be what the
 * next one has. Names that differ by case alone cannot both be there.
 */
type Lives = Turns;

function createAccount(access: Access, events: Events, lives: Lives): Operation {
  return {
    async handle({ body, identity, stillMay }) {
      const members = body.parse(validateAccountCreate);
      refuseBadName(members.UserName);
      refuseBadMembers(access, { userName: members.UserName, types: accountTypes }, members);
      const asked: NewUser = {
        userName: members.UserName,
        password: members.Password,
        role: members.RoleId,
        enabled: members.Enabled ?? true,
        passwordChangeRequired: members.PasswordChangeRequired ?? false,
      };
      const make = () => createUser(access, events.rights, asked, stillMay);
      const user = await lives.take(lifeOf(asked), identity?.account.userName ?? '', make);
      const headers = { Location: accountUri(user.userName) };
      return { status: 201, headers, body: view(access, user) };
    },
  };
}

function lifeOf({ userName }: Pick<User, 'userName'>): string {
  return userName.toLowerCase();
}

/** All members or none. A change that takes rights, or a password, ends the user's other sessions. */
async function change(access: Access, events: Events, context: RequestContext): Promise<User> {
  const { identity, ownOnly, body } = context;
  const before = await visible(access, context);
  const isOwn = identity?.account.userName === before.userName;
  const changes = view(access, before);
  const { UserName, ...members } = body.parse(validateAccountPatch, { changes });
  // A name is the URI of its account, so it stays; clients delete and create instead
  if (UserName !== undefined && UserName !== before.userName) {
    throw new RedfishError(400, notWritable('UserName'));
  }
  const names = Object.keys(members);
  const onlyPassword = names.every((name) => name === 'Password');
  if (isOwn && before.passwordChangeRequired && !onlyPassword) throw passwordChangeRequired(before);
  if (ownOnly && !onlyPassword) {
    throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  }
  if (names.length === 0) throw new RedfishError(400, { id: 'NoOperation', args: [] });
  const { userName, accountTypes: types } = before;
  refuseBadMembers(access, { userName, types }, members);
  const { Password: password, RoleId: role, Enabled: enabled } = members;
  const required = members.PasswordChangeRequired ?? (isOwn && password ? false : undefined);
  const asked: UserChange = {
    ...(password !== undefined && { password }),
    ...(role !== undefined && { role }),
    ...(enabled !== undefined && { enabled }),
    ...(members.Locked === false && { locked: false }),
    ...(required !== undefined && { passwordChangeRequired: required }),
  };
  if (isOwn) refuseSelfHarm(asked, before);
  const own = isOwn && password !== undefined ? ownChange(access, identity) : undefined;
  const update = changesOf(access).update(userName, asked, own);
  const after = await changing(userName, update);
  if (members.Locked === false) access.gate.failures.unlock(before.userName);
  if (password !== undefined || after.role !== before.role || !after.enabled) {
    // Who changes his own password goes on where he is, and ends what others may have of him
    const kept = isOwn ? identity?.session?.id : undefined;
    access.sessions.endOf(before.userName, kept);
    await access.sessions.ended();
    await events.rights.review(before.userName, kept);
  }
  return after;
}

/** What a user's change of his own password must find, and what becomes of his session. */
function ownChange({ sessions }: Access, { account, session }: Identity): OwnPasswordChange {
  return {
    passwordStamp: account.passwordStamp,
    foretell: (stamp) => session && sessions.foretell(session.id, stamp),
  };
}

async function remove(access: Access, events: Events, lives: Lives, context: RequestContext) {
  const user = await visible(access, context);
  const { userName } = user;
  if (context.identity?.account.userName === userName) {
    const detail = 'Nobody can delete his own account';
    throw new RedfishError(409, { id: 'ResourceCannotBeDeleted', args: [], detail });
  }
  const { identity, stillMay } = context;
  const end = () => removeUser(access, events.rights, identity, userName, stillMay);
  await lives.take(lifeOf(user), identity?.account.userName ?? '', end);
  return { status: 204 };
}

/** @throws RedfishError 403 for another's account, whether it is there or not; 404 */
export async function visible(
  { users }: Access,
  { identity, ownOnly, parameters: { name = '' } }: RequestContext,
): Promise<User> {
  if (ownOnly && identity?.account.userName !== name) {
    throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  }
  const user = await users.find(name);
  if (user) return user;
  throw new RedfishError(404, { id: 'ResourceNotFound', args: ['ManagerAccount', name] });
}

async function list({ users }: Access, identity: Identity | undefined) {
  const everybody = identity && hasPrivilege(identity.account.role, 'ConfigureUsers');
  const seen = (await users.list()).filter(
    ({ userName }) => everybody || userName === identity?.account.userName,
  );
  return {
    '@odata.id': collection,
    '@odata.type': typeOf('ManagerAccountCollection'),
    Name: 'Accounts Collection',
    Description: 'BMC User Accounts',
    Members: seen.map(({ userName }) => link(accountUri(userName))),
    'Members@odata.count': seen.length,
  };
}

function view({ gate, accountCertificates }: Access, user: User) {
  return {
    '@odata.id': accountUri(user.userName),
    '@odata.type': typeOf('ManagerAccount'),
    Id: user.userName,
    Name: 'User Account',
    Description: 'User Account',
    UserName: user.userName,
    Password: null,
    RoleId: user.role,
    Enabled: user.enabled,
    Locked: user.locked || gate.failures.isAccountLocked(user.userName),
    PasswordChangeRequired: user.passwordChangeRequired,
    AccountTypes: user.accountTypes,
    StrictAccountTypes: false,
    ...(accountCertificates && {
      Certificates: link(`${accountUri(user.userName)}/Certificates`),
    }),
    Links: { Role: link(`/redfish/v1/AccountService/Roles/${user.role}`) },
  };
}
