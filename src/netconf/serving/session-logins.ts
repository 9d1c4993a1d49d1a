import type { TLSSocket } from 'node:tls';
import { clientAddress } from '../../core/client-address.ts';
import type { Log } from '../../core/log.ts';
import type { Identity } from '../../identity/identity.ts';
import { IdentityError } from '../../identity/identity-error.ts';
import type { LoginAudit } from '../../identity/login-audit.ts';
import type { PeerCertificates } from '../../identity/peer-certificates/peer-certificates.ts';
import type { Refusal } from '../../identity/peer-certificates/refusal.ts';
import { loginByCertificate } from '../../identity/peer-login.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Session, Sessions } from '../session/sessions.ts';

/** Who the clients of connections are: when they come, and by now. */
export interface SessionLogins {
  /** Logs the client of a connection in. A refusal is told by then. */
  begin(socket: TLSSocket): Promise<Identity | Refusal>;
  /** Follows a session until it ends. */
  follow(session: Session, socket: TLSSocket): void;
  /**
   * Who the client of a session is by now.
   * @throws RpcError `access-denied` where it would not be let in as this user any more; IdentityError
   */
  again(session: Session, socket: TLSSocket): Promise<Identity>;
  /** Ends the sessions whose clients would not be let in as their users any more, once a change had time to answer. */
  lookAgain(): void;
  close(): void;
}

export interface SessionLoginsOptions {
  readonly peers: PeerCertificates;
  readonly logins: LoginAudit;
  readonly sessions: Sessions;
  /** How long a change may take to answer before sessions end because of it. */
  readonly cutMilliseconds: number;
  readonly log: Log;
}

/** What no event tells of, such as the end of a certificate, is looked at so often. */
const lookMilliseconds = 60_000;

export function makeSessionLogins(options: SessionLoginsOptions): SessionLogins {
  const { peers, logins, sessions, cutMilliseconds, log } = options;
  const followed = new Map<number, { readonly session: Session; readonly socket: TLSSocket }>();
  let soon: NodeJS.Timeout | undefined;

  const begin = async (socket: TLSSocket): Promise<Identity | Refusal> => {
    const address = clientAddress(socket);
    try {
      const login = await loginByCertificate(
        { certificates: peers, logins },
        { connection: socket, address },
      );
      if (login) return 'identity' in login ? login.identity : login.refusal;
      return 'no-certificate';
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      const attempt = { userName: '', address, method: 'certificate', connection: socket } as const;
      peers.report.refused(socket, 'accounts-unavailable', peers.certificateOf(socket));
      logins.login(attempt, 'accounts-unavailable');
      return 'accounts-unavailable';
    }
  };

  /** @throws IdentityError */
  const now = async ({ userName }: Session, socket: TLSSocket): Promise<Identity | Refusal> => {
    const login = await peers.login(socket);
    if (!login) return 'no-certificate';
    if ('refusal' in login) return login.refusal;
    return login.account.userName === userName ? login : 'unknown-user';
  };

  const look = async () => {
    for (const { session, socket } of [...followed.values()]) {
      const found = await now(session, socket).catch((error: unknown) => {
        // Whether there is still such a user, nobody can say now
        if (error instanceof IdentityError) return 'unavailable' as const;
        throw error;
      });
      if (typeof found !== 'string' || found === 'unavailable' || !followed.has(session.id))
        continue;
      const { id, userName, address } = session;
      log.warn('client of a session is not let in any more', {
        session: id,
        user: userName,
        address,
        reason: found,
      });
      void sessions.terminate(id, 'other');
    }
  };
  const lookLogged = () =>
    void look().catch((error: unknown) =>
      log.error('sessions not looked at', { reason: String(error) }),
    );

  const stopFollowing = sessions.onEnd(({ session }) => followed.delete(session.id));
  const timer = setInterval(lookLogged, lookMilliseconds).unref();

  return {
    begin,
    follow: (session, socket) => void followed.set(session.id, { session, socket }),
    async again(session, socket) {
      const found = await now(session, socket);
      if (typeof found !== 'string') return found;
      throw new RpcError(
        'access-denied',
        'The client of this session would not be let in any more',
      );
    },
    lookAgain() {
      soon ??= setTimeout(() => {
        soon = undefined;
        lookLogged();
      }, cutMilliseconds).unref();
    },
    close() {
      stopFollowing();
      clearInterval(timer);
      clearTimeout(soon);
    },
  };
}
