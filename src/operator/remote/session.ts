import { CommandError } from '../framework/exit-status.ts';
import type { Connection } from './connection.ts';
import { linkAt } from './json.ts';
import { readRefusal } from './refusal.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** A session of the service (DSP0266, "Redfish session login authentication"). */
export interface Session {
  readonly token: string;
  end(): Promise<void>;
}

/** The session of now, which may give way to another one. */
export interface Sessions {
  /** Absent where the connection itself tells who the client is. */
  readonly token: string | undefined;
  /** For a session that the service does not know any more. @throws CommandError */
  renew(): Promise<void>;
  end(): Promise<void>;
}

type Sender = Pick<Connection, 'send'>;

/** @param login absent for a client that needs no session */
export function sessionsOf(connection: Sender, root: unknown, login?: Login): Sessions {
  let session: Promise<Session> | undefined;
  let token: string | undefined;
  return {
    get token() {
      return token;
    },
    async renew() {
      session = login && logIn(connection, root, login);
      token = (await session)?.token;
    },
    // Also of a login that is under way
    end: async () => (await session?.catch(() => undefined))?.end(),
  };
}

/** Longer than a service needs that lets wrong passwords wait. */
const loginMilliseconds = 60_000;
/** The end of a session is not worth a long wait: the service ends it by itself. */
const logoutMilliseconds = 10_000;

/** @param root of the service, which every client may read */
async function logIn(
  connection: Sender,
  root: unknown,
  { user, password }: Login,
): Promise<Session> {
  const path = linkAt(root, 'Links', 'Sessions') ?? '/redfish/v1/SessionService/Sessions';
  const body = { UserName: user, Password: password };
  const answer = await connection.send({ method: 'POST', path, body }, loginMilliseconds);
  const { 'x-auth-token': token, location } = answer.headers;
  if (answer.status === 401 || answer.status === 403) {
    const message = `The Redfish service does not let ${user} in: the name or the password is wrong, or the account is locked.`;
    throw new CommandError('denied', message);
  }
  if (answer.status >= 300 || typeof token !== 'string') {
    const { message } = readRefusal(answer, body);
    const why = message || `the HTTP status is ${answer.status}`;
    throw new CommandError('failed', `The Redfish service opens no session: ${why}`);
  }
  const own = location ?? linkAt(answer.body);
  return {
    token,
    async end() {
      if (own === undefined) return;
      const exchange = { method: 'DELETE', path: own, headers: { 'X-Auth-Token': token } } as const;
      await connection.send(exchange, logoutMilliseconds).catch(() => undefined);
    },
  };
}
