import {
  type AccountPatch,
  validateAccountCreate,
  validateAccountPatch,
} from '../../../schemas/generated/validators.js';
import { newPasswordStamp } from '../../identity/accounts/accounts.ts';
import type {
  NewUser,
  OwnPasswordChange,
  User,
  UserChange,
} from '../../identity/accounts/user-directory.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Access } from '../access.ts';
import { resourceEvent } from '../events/event-record.ts';
import type { Events } from '../events/events.ts';
import { accountUri, passwordChangeRequired } from '../http/authentication.ts';
import { mayUse } from '../http/privileges.ts';
import { forbidden, notFound, RedfishError } from '../messages/redfish-error.ts';
import {
  collectionView,
  creatable,
  get,
  json,
  link,
  type Operation,
  type Reply,
  type RequestContext,
  type Resource,
} from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { accountTypes, refuseBadMembers, refuseSelfHarm } from './account-changes.ts';
import { createUser, removeUser, renameUser } from './account-life.ts';

const collection = '/redfish/v1/AccountService/Accounts';

interface AccountParts {
  readonly access: Access;
  readonly events: Events;
  readonly tasks: Tasks;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
}

/** The accounts (DMTF ManagerAccount): users see their own, users who may configure users all of them. */
export function accounts(parts: AccountParts): readonly Resource[] {
  const { access, events } = parts;
  return [
    ...creatable(
      {
        path: collection,
        entity: 'ManagerAccountCollection',
        operations: { GET: get(({ identity }) => list(access, identity)) },
      },
      createAccount(access, events),
    ),
    {
      path: `${collection}/:name`,
      entity: 'ManagerAccount',
      operations: {
        GET: get(async (context) => view(access, await visible(access, context))),
        PATCH: { handle: (context) => change(parts, context) },
        DELETE: { handle: (context) => remove(access, events, context) },
      },
    },
  ];
}

function createAccount(access: Access, events: Events): Operation {
  return {
    async handle({ body, identity, stillMay }) {
      const members = body.parse(validateAccountCreate);
      refuseBadMembers(accountTypes, members);
      const asked: NewUser = {
        userName: members.UserName,
        password: members.Password,
        role: members.RoleId,
        enabled: members.Enabled ?? true,
        passwordChangeRequired: members.PasswordChangeRequired ?? false,
      };
      const make = () => createUser(access, events.rights, asked, stillMay);
      const user = await access.lives.run(
        accountLock(asked),
        identity?.account.userName ?? '',
        make,
      );
      const headers = { Location: accountUri(user.userName) };
      return { status: 201, headers, body: view(access, user) };
    },
  };
}

/** Names that differ by case alone cannot both be there. */
function accountLock({ userName }: Pick<User, 'userName'>): string {
  return userName.toLowerCase();
}

/**
 * All members or none. A change that takes rights, or a password, ends the user's other sessions; with another name he
 * keeps what he has, at another URI.
 */
async function change(parts: AccountParts, context: RequestContext): Promise<Reply> {
  const { access, events } = parts;
  const { identity, ownOnly, body } = context;
  const before = await visible(access, context);
  const isOwn = identity?.account.userName === before.userName;
  const changes = view(access, before);
  const { UserName: name = before.userName, ...others } = body.parse(validateAccountPatch, {
    changes,
  });
  const isRenamed = name !== before.userName;
  const members = { ...others, ...(isRenamed && { UserName: name }) };
  const names = Object.keys(members);
  const onlyPassword = names.every((one) => one === 'Password');
  if (isOwn && before.passwordChangeRequired && !onlyPassword) throw passwordChangeRequired(before);
  if (ownOnly && !onlyPassword) throw forbidden();
  // The name that it has already was all that the body wants
  if (names.length === 0) return json(changes);
  refuseBadMembers(before.accountTypes, members);
  const asked = changeOf(members, isOwn);
  if (isOwn) refuseSelfHarm(asked, before);
  const own = isOwn && asked.password !== undefined ? ownChange(access, identity) : undefined;
  const update = () => access.users.changes.update(before.userName, asked, own);
  const after = isRenamed
    ? await rename(parts, context, { userName: before.userName, name, isOwn }, update)
    : await update();
  if (asked.password !== undefined || after.role !== before.role || !after.enabled) {
    // Who changes his own password goes on where he is, and ends what others may have of him
    const kept = isOwn ? identity?.session?.id : undefined;
    access.sessions.endOf(name, kept);
    await access.sessions.ended();
    await events.rights.review(name, kept);
  }
  return json(view(access, after), isRenamed ? { Location: accountUri(name) } : {});
}

function changeOf(
  { UserName, Password, RoleId, Enabled, Locked, PasswordChangeRequired }: AccountPatch,
  isOwn: boolean,
): UserChange {
  const required = PasswordChangeRequired ?? (isOwn && Password !== undefined ? false : undefined);
  return {
    ...(UserName !== undefined && { userName: UserName }),
    ...(Password !== undefined && { password: Password }),
    ...(RoleId !== undefined && { role: RoleId }),
    ...(Enabled !== undefined && { enabled: Enabled }),
    ...(Locked === false && { locked: false }),
    ...(required !== undefined && { passwordChangeRequired: required }),
  };
}

/** No other beginning or end of an account with one of the two names comes in between. */
async function rename(
  { access, events, tasks, now }: AccountParts,
  { identity, stillMay }: RequestContext,
  names: { readonly userName: string; readonly name: string; readonly isOwn: boolean },
  update: () => Promise<User>,
): Promise<User> {
  const { userName, name } = names;
  const by = identity?.account.userName ?? '';
  // In one order everywhere, so that two of them never wait for each other
  const keys = [...new Set([accountLock({ userName }), accountLock({ userName: name })])].sort();
  const work = () => renameUser(access, events.rights, identity, names, update, stillMay);
  const task = keys.reduceRight((inner, key) => () => access.lives.run(key, by, inner), work);
  const user = await task();
  tasks.rename(userName, name);
  const about = { resourceType: 'ManagerAccount', timestamp: new Date(now()).toISOString() };
  const [before, after] = [userName, name].map(accountUri);
  events.publish(resourceEvent('ResourceRemoved', [], { ...about, origin: before }));
  events.publish(resourceEvent('ResourceCreated', [], { ...about, origin: after }));
  return user;
}

/** What a user's change of the own password must find, and the stamp with which the user's session goes on. */
function ownChange({ sessions }: Access, { account, session }: Identity): OwnPasswordChange {
  const nextStamp = newPasswordStamp();
  if (session) sessions.foretell(session.id, nextStamp);
  return { passwordStamp: account.passwordStamp, nextStamp };
}

async function remove(access: Access, events: Events, context: RequestContext) {
  const user = await visible(access, context);
  const { userName } = user;
  if (context.identity?.account.userName === userName) {
    const detail = 'Users cannot delete their own accounts';
    throw new RedfishError(409, { id: 'ResourceCannotBeDeleted', args: [], detail });
  }
  const { identity, stillMay } = context;
  const end = () => removeUser(access, events.rights, identity, userName, stillMay);
  await access.lives.run(accountLock(user), identity?.account.userName ?? '', end);
  return { status: 204 };
}

/** @throws RedfishError 403 for another's account, whether it is there or not; 404 */
export async function visible(
  { users }: Access,
  { identity, ownOnly, parameters: { name = '' } }: RequestContext,
): Promise<User> {
  if (ownOnly && identity?.account.userName !== name) throw forbidden();
  const user = await users.find(name);
  if (user) return user;
  throw notFound('ManagerAccount', name);
}

async function list({ users }: Access, identity: Identity | undefined) {
  const seesAll = mayUse(identity, 'ConfigureUsers');
  const seen = (await users.list())
    .map(({ userName }) => userName)
    .filter((userName) => seesAll || userName === identity?.account.userName);
  return collectionView(
    collection,
    'ManagerAccountCollection',
    ['Accounts Collection', 'BMC User Accounts'],
    seen.map(accountUri),
  );
}

function view({ accountCertificates }: Access, user: User) {
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
    Locked: user.locked,
    PasswordChangeRequired: user.passwordChangeRequired,
    AccountTypes: user.accountTypes,
    StrictAccountTypes: false,
    ...(accountCertificates && {
      Certificates: link(`${accountUri(user.userName)}/Certificates`),
    }),
    Links: { Role: link(`/redfish/v1/AccountService/Roles/${user.role}`) },
  };
}
