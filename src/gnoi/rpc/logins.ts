import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerListener,
} from '@grpc/grpc-js';
import { clientAddress } from '../../core/client-address.ts';
import type { Log } from '../../core/log.ts';
import type { User, Users } from '../../identity/accounts/user-directory.ts';
import type { LoginAudit } from '../../identity/login-audit.ts';
import { loginByPassword } from '../../identity/peer-login.ts';
import type { Caller } from './caller.ts';
import { StatusError, statusCodes, statusOf } from './status.ts';

/** A connection, and the password that was right on it. */
interface Connection {
  readonly socket: Socket;
  readonly address: string;
  verified?: { readonly user: User; readonly digest: Buffer };
  /** Logins that are not decided, also those of calls that the client has cancelled. */
  waiting: number;
  /** Logins that were refused because too many waited. */
  refused: number;
}

/** The logins of the calls: each comes with a user name and a password in its metadata. */
export interface Logins {
  readonly interceptor: ServerInterceptor;
  /** Who makes a call with this metadata; `undefined` before the login. */
  callerOf(metadata: Metadata): Caller | undefined;
  /**
   * Who the caller is by now: the messages of a call may come long after its login.
   * @throws StatusError `UNAUTHENTICATED` where the login counts no more; IdentityError
   */
  again(caller: Caller): Promise<Caller>;
  /** A connection whose TLS handshake has succeeded. */
  connected(socket: Socket): void;
}

export interface LoginsOptions {
  readonly users: Pick<Users, 'login' | 'find' | 'passwordStamp' | 'onChange'>;
  readonly logins: LoginAudit;
  /** Of one connection. A stream that its client resets counts for no limit of HTTP/2, but its login goes on. */
  readonly waitingLogins: number;
  readonly log: Log;
}

/** Makes the logins of the calls on all connections. */
export function makeLogins(options: LoginsOptions): Logins {
  const connections = new Map<string, Connection>();
  const callers = new WeakMap<Metadata, Caller>();
  const { login, again } = passwordLogins(options, connections);
  const inBounds = boundedLogins(options, login);

  return {
    interceptor(_method, call) {
      const onReceiveMetadata: ServerListener['onReceiveMetadata'] = (metadata, next) => {
        inBounds(metadata, connections.get(call.getPeer())).then(
          (caller) => {
            callers.set(metadata, caller);
            next(metadata);
          },
          (error: unknown) => {
            const { status, message } = statusOf(error);
            call.sendStatus({ code: statusCodes[status], details: message });
          },
        );
      };
      return new ServerInterceptingCall(call, { start: (next) => next({ onReceiveMetadata }) });
    },
    callerOf: (metadata) => callers.get(metadata),
    again,
    connected(socket) {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      const connection = { socket, address: clientAddress(socket), waiting: 0, refused: 0 };
      connections.set(peer, connection);
      socket.once('close', () => {
        // Another connection may have the port already
        if (connections.get(peer) === connection) connections.delete(peer);
      });
    },
  };
}

type Login = (metadata: Metadata, connection: Connection) => Promise<Caller>;

/**
 * A password that was right is remembered for its connection, until anything of the account changes, since it takes long to
 * check and comes with each call.
 */
function passwordLogins(
  { users, logins }: LoginsOptions,
  connections: ReadonlyMap<string, Connection>,
): { readonly login: Login; readonly again: Logins['again'] } {
  /** As they were at their logins. */
  const accounts = new WeakMap<Caller, User>();
  // Nothing of a password can be told from its digest without this key, which never leaves the process
  const key = randomBytes(32);
  users.onChange(() => {
    for (const connection of connections.values()) delete connection.verified;
  });

  const callerFrom = (user: User, address: string): Caller => {
    const { userName, role } = user;
    const caller = { userName, role, address };
    accounts.set(caller, user);
    return caller;
  };

  return {
    async login(metadata, connection) {
      const userName = only(metadata, 'username');
      const password = only(metadata, 'password');
      metadata.remove('password');
      const { address, verified } = connection;
      const digest = createHmac('sha256', key).update(`${userName}\0${password}`).digest();
      if (verified && timingSafeEqual(verified.digest, digest)) {
        const user = await users.find(verified.user.userName);
        if (user && !user.locked && isSame(user, verified.user)) return callerFrom(user, address);
      }
      const attempt = { userName, address, method: 'metadata', connection } as const;
      const result = await loginByPassword({ users, logins }, attempt, password);
      if ('refusal' in result) {
        if (result.refusal === 'busy')
          throw new StatusError('UNAVAILABLE', 'too many logins wait; try again');
        throw new StatusError('UNAUTHENTICATED', 'the user name or the password is wrong');
      }
      const { account } = result.identity;
      if (account.passwordChangeRequired)
        throw new StatusError('PERMISSION_DENIED', 'the password has expired and must be changed');
      connection.verified = { user: account, digest };
      return callerFrom(account, address);
    },
    async again(caller) {
      const before = accounts.get(caller);
      const now = await users.find(caller.userName);
      // A lock keeps out guesses: strangers, who can bring it about, end no call of a user who is in
      if (before && now && isSame(now, before)) return callerFrom(now, caller.address);
      throw new StatusError('UNAUTHENTICATED', 'the login of the call is not valid any more');
    },
  };
}

/** Bounds the logins of a connection that wait, and the size of what each of them holds meanwhile. */
function boundedLogins({ waitingLogins, log }: LoginsOptions, login: Login) {
  /** A client that goes on does nothing but make streams and reset them. */
  const refuse = (connection: Connection) => {
    connection.refused += 1;
    const { socket, address, refused } = connection;
    if (refused <= waitingLogins || socket.destroyed) return;
    log.warn('connection dropped: its client resets its calls', { address });
    socket.destroy();
  };

  return async (metadata: Metadata, connection: Connection | undefined): Promise<Caller> => {
    if (!connection) throw new StatusError('UNAVAILABLE', 'the connection has ended');
    if (connection.waiting >= waitingLogins) {
      refuse(connection);
      throw new StatusError('RESOURCE_EXHAUSTED', 'too many logins of the connection wait');
    }
    if (sizeOf(metadata) > metadataBytes)
      throw new StatusError('RESOURCE_EXHAUSTED', `metadata has more than ${metadataBytes} bytes`);
    connection.waiting += 1;
    try {
      return await login(metadata, connection);
    } finally {
      connection.waiting -= 1;
    }
  };
}

/** As the specification of gRPC over HTTP/2 suggests; it is held while the login waits. */
const metadataBytes = 8192;

function sizeOf(metadata: Metadata): number {
  const entries = Object.entries(metadata.toJSON()).flatMap(([name, values]) =>
    values.map((value) => name.length + value.length),
  );
  return entries.reduce((sum, length) => sum + length, 0);
}

/** @returns the value, empty where there is none or more than one */
function only(metadata: Metadata, name: string): string {
  const values = metadata.get(name);
  return values.length === 1 ? String(values[0]) : '';
}

/** Whether a password that was right for a user still lets the user in. */
function isSame(now: User, before: User): boolean {
  return now.enabled && !now.passwordChangeRequired && now.passwordStamp === before.passwordStamp;
}
