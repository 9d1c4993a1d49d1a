import {
  validateSessionCreate,
  validateSessionServicePatch,
} from '../../../schemas/generated/validators.js';
import type { Identity } from '../../identity/identity.ts';
import type { RoleId } from '../../identity/roles.ts';
import type { Access } from '../access.ts';
import { dateTime } from '../date-time.ts';
import { badLogin, challenge, login, passwordChangeRequired } from '../http/authentication.ts';
import { mayUse } from '../http/privileges.ts';
import { renderMessages } from '../messages/base-registry.ts';
import { forbidden, notFound, RedfishError } from '../messages/redfish-error.ts';
import {
  collectionView,
  creatable,
  get,
  json,
  link,
  naming,
  type Operation,
  type Reply,
  type RequestContext,
  type Resource,
  success,
} from '../resource.ts';
import { clearedCookies, sessionCookies } from '../sessions/session-cookies.ts';
import type { Session } from '../sessions/sessions.ts';
import { refuseOutside } from './change.ts';

const service = '/redfish/v1/SessionService';
const collection = `${service}/Sessions`;

/** SessionService, its Sessions and each Session (DSP0266, "Session management"). */
export function sessionService({ access }: { readonly access: Access }): readonly Resource[] {
  return [
    {
      path: service,
      entity: 'SessionService',
      operations: { GET: get(() => serviceView(access)), PATCH: changeService(access) },
    },
    ...creatable(
      {
        path: collection,
        entity: 'SessionCollection',
        operations: { GET: get(({ identity }) => listSessions(access, identity)) },
      },
      createSession(access),
    ),
    {
      path: `${collection}/:id`,
      entity: 'Session',
      operations: {
        GET: get(async ({ identity, parameters }) => {
          const session = visibleSession(access, identity, parameters.id);
          const user = await access.users.find(session.userName);
          return view(session, user?.role);
        }),
        DELETE: { handle: (context) => endSession(access, context) },
      },
    },
  ];
}

function changeService(access: Access): Operation {
  return {
    async handle({ body }) {
      const options = { changes: serviceView(access) };
      const { SessionTimeout: sessionSeconds } = body.parse(validateSessionServicePatch, options);
      refuseOutside('SessionTimeout', sessionSeconds, 30, 86_400);
      if (sessionSeconds !== undefined) await access.settings.change(() => ({ sessionSeconds }));
      return json(serviceView(access));
    },
  };
}

function serviceView({ settings }: Access) {
  return {
    ...naming('SessionService', service),
    Name: 'Session Service',
    Description: 'Session Service',
    Status: { State: 'Enabled', Health: 'OK' },
    ServiceEnabled: true,
    SessionTimeout: settings.policy.sessionSeconds,
    Sessions: link(collection),
  };
}

/** A script of a browser gets its token in a cookie that it cannot read, any other client in a header. */
function createSession(access: Access): Operation {
  return {
    open: true,
    async handle({ body, clientAddress, header }) {
      const { UserName, Password, Context } = body.parse(validateSessionCreate);
      const user = await login(
        access,
        { userName: UserName, address: clientAddress, method: 'session' },
        Password,
      );
      if (!user) {
        const args = [collection, badLogin];
        const message = { id: 'ResourceAtUriUnauthorized', args } as const;
        throw new RedfishError(401, message, challenge(header, access));
      }
      const { session, token, xsrfToken } = access.sessions.create({
        userName: user.userName,
        address: clientAddress,
        context: Context,
        passwordStamp: user.passwordStamp,
        cookie: access.settings.policy.sessionWays.cookie && Boolean(header('X-Requested-With')),
      });
      const { id, userName, address } = session;
      access.audit.write('session begun', { session: id, user: userName, address });
      const credential: Reply['headers'] =
        xsrfToken === undefined
          ? { 'X-Auth-Token': token }
          : { 'Set-Cookie': sessionCookies(token, xsrfToken) };
      const notice = user.passwordChangeRequired && {
        '@Message.ExtendedInfo': renderMessages(passwordChangeRequired(user).messages),
      };
      return {
        status: 201,
        headers: { Location: uriOf(session), ...credential },
        body: { ...view(session, user.role), ...notice },
      };
    },
  };
}

async function endSession(
  access: Access,
  { identity, parameters }: RequestContext,
): Promise<Reply> {
  const session = visibleSession(access, identity, parameters.id);
  access.sessions.end(session.id, 'deleted');
  await access.sessions.ended();
  const clears = session.xsrfHash !== undefined && identity?.session?.id === session.id;
  return success(clears ? { 'Set-Cookie': clearedCookies } : {});
}

function listSessions({ sessions }: Access, identity: Identity | undefined) {
  return collectionView(
    collection,
    'SessionCollection',
    ['Session Collection', 'Session Collection'],
    sessions
      .list()
      .filter((session) => mayTouch(identity, session))
      .map(uriOf),
  );
}

/** @throws RedfishError 404 for a session that is not there, 403 for another user's */
function visibleSession({ sessions }: Access, identity: Identity | undefined, id = ''): Session {
  const session = sessions.get(id);
  if (!session) throw notFound('Session', id);
  if (!mayTouch(identity, session)) throw forbidden();
  return session;
}

/** Users may see and end their own sessions; users who may configure users, all sessions. */
function mayTouch(identity: Identity | undefined, session: Session): boolean {
  return identity?.account.userName === session.userName || mayUse(identity, 'ConfigureUsers');
}

function uriOf({ id }: Session): string {
  return `${collection}/${id}`;
}

function view(session: Session, role: RoleId | undefined) {
  return {
    ...naming('Session', uriOf(session)),
    Name: 'User Session',
    Description: 'Manager User Session',
    UserName: session.userName,
    Roles: role === undefined ? [] : [role],
    SessionType: session.xsrfHash === undefined ? 'Redfish' : 'WebUI',
    CreatedTime: dateTime(session.createdAt),
    ClientOriginIPAddress: session.address,
    ...(session.context !== undefined && { Context: session.context }),
  };
}
