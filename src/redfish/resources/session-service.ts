import { validateSessionCreate } from '../../../schemas/generated/validators.js';
import { badLogin, type Identity, login } from '../access/authentication.ts';
import { hasPrivilege } from '../access/privileges.ts';
import type { Session } from '../access/sessions.ts';
import { renderMessage } from '../messages/base-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import {
  json,
  link,
  type Operation,
  type ResourceFactory,
  type ServiceParts,
} from '../resource.ts';
import { typeOf } from '../schema-versions.ts';

const service = '/redfish/v1/SessionService';
const collection = `${service}/Sessions`;

/** SessionService, its Sessions and each Session (DSP0266, "Session management"). */
export const sessionService: ResourceFactory = (parts) => [
  {
    path: service,
    entity: 'SessionService',
    operations: {
      GET: {
        handle: () =>
          json({
            '@odata.id': service,
            '@odata.type': typeOf('SessionService'),
            Id: 'SessionService',
            Name: 'Session Service',
            Description: 'Session Service',
            ServiceEnabled: true,
            SessionTimeout: parts.sessionSeconds,
            Sessions: link(collection),
          }),
      },
    },
  },
  {
    path: collection,
    entity: 'SessionCollection',
    operations: {
      GET: { handle: ({ identity }) => json(listSessions(parts, identity)) },
      POST: createSession(parts),
    },
  },
  // DSP0266: a collection also takes POST at the URI of its Members property
  {
    path: `${collection}/Members`,
    entity: 'SessionCollection',
    operations: { POST: createSession(parts) },
  },
  {
    path: `${collection}/:id`,
    entity: 'Session',
    operations: {
      GET: {
        handle: ({ identity, parameters }) =>
          json(view(visibleSession(parts, identity, parameters.id))),
      },
      DELETE: {
        handle: ({ identity, parameters }) => {
          parts.sessions.end(visibleSession(parts, identity, parameters.id).id);
          return json({ '@Message.ExtendedInfo': [renderMessage({ id: 'Success', args: [] })] });
        },
      },
    },
  },
];

function createSession({ accounts, sessions }: ServiceParts): Operation {
  return {
    open: true,
    async handle({ body, clientAddress }) {
      const { UserName, Password, Context } = body.parse(validateSessionCreate);
      const account = await login(accounts, UserName, Password);
      if (!account) {
        const args = [collection, badLogin];
        throw new RedfishError(401, { id: 'ResourceAtUriUnauthorized', args });
      }
      const { session, token } = sessions.create(account, clientAddress, Context);
      const headers = { Location: uriOf(session), 'X-Auth-Token': token };
      return { status: 201, headers, body: view(session) };
    },
  };
}

function listSessions({ sessions }: ServiceParts, identity: Identity | undefined) {
  const members = sessions.list().filter((session) => mayTouch(identity, session));
  return {
    '@odata.id': collection,
    '@odata.type': typeOf('SessionCollection'),
    Name: 'Session Collection',
    Description: 'Session Collection',
    Members: members.map((session) => link(uriOf(session))),
    'Members@odata.count': members.length,
  };
}

/** @throws RedfishError 404 for a session that is not there, 403 for another user's */
function visibleSession(
  { sessions }: ServiceParts,
  identity: Identity | undefined,
  id = '',
): Session {
  const session = sessions.get(id);
  if (!session) throw new RedfishError(404, { id: 'ResourceNotFound', args: ['Session', id] });
  if (!mayTouch(identity, session)) {
    throw new RedfishError(403, { id: 'InsufficientPrivilege', args: [] });
  }
  return session;
}

/** Everyone may see and end his own sessions, and whoever may configure users everybody's. */
function mayTouch(identity: Identity | undefined, session: Session): boolean {
  if (!identity) return false;
  const isOwn = identity.account.userName === session.account.userName;
  return isOwn || hasPrivilege(identity.account.role, 'ConfigureUsers');
}

function uriOf({ id }: Session): string {
  return `${collection}/${id}`;
}

function view(session: Session) {
  return {
    '@odata.id': uriOf(session),
    '@odata.type': typeOf('Session'),
    Id: session.id,
    Name: 'User Session',
    Description: 'Manager User Session',
    UserName: session.account.userName,
    Roles: [session.account.role],
    ClientOriginIPAddress: session.address,
    ...(session.context !== undefined && { Context: session.context }),
  };
}
