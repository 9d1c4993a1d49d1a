import type { Server, TLSSocket } from 'node:tls';
import { reasonOf } from '../../core/cert-error.ts';
import type { LoginAudit } from '../../identity/login-audit.ts';
import type { PeerCertificates } from '../../identity/peer-certificates/peer-certificates.ts';
import type { Refusal } from '../../identity/peer-certificates/refusal.ts';
import type { Datastore } from '../operations/operations.ts';
import type { Operations } from '../rpc/operation.ts';
import { runSession, type SessionLimits } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { type ListenerOptions, makeListener } from './listener.ts';
import { refusalOfReadiness } from './readiness.ts';
import type { SessionLogins } from './session-logins.ts';
import type { StandingWatch } from './standing.ts';

/** The parts of the service that clients meet. */
export interface ClientServingOptions
  extends Pick<ListenerOptions, 'identity' | 'profile' | 'bounds' | 'log'> {
  readonly peers: PeerCertificates;
  readonly logins: LoginAudit;
  readonly sessions: Sessions;
  readonly sessionLogins: SessionLogins;
  readonly standing: StandingWatch;
  readonly datastore: Pick<Datastore, 'capabilities'>;
  readonly operations: Operations;
  /** Those in force. */
  readonly settings: () => {
    readonly session: SessionLimits;
    readonly lenientInteractive: boolean;
  };
  /** Told when the sessions or the refused clients may be others. */
  readonly changed: () => void;
  readonly now: () => number;
}

/** @returns a server that does not listen yet, and what ends its connections at once */
export function serveClients(options: ClientServingOptions): {
  readonly server: Server;
  cut(): void;
} {
  const { identity, profile, bounds, peers, logins, standing, changed, now, log } = options;
  const open = new Set<TLSSocket>();
  /** A client that never got to show a certificate. */
  const turnedAway = (client: string, refusal: Refusal) => {
    logins.login({ userName: '', address: client, method: 'certificate' }, refusal);
    changed();
  };
  const admits = (client: string): boolean => {
    const { readiness } = standing.look();
    if (readiness === 'ready') return true;
    const refusal = refusalOfReadiness[readiness];
    peers.report.clients.add(now(), refusal, client, undefined);
    turnedAway(client, refusal);
    return false;
  };

  const server = makeListener({
    ...{ identity, profile, bounds, peers, admits, log },
    onMissing(client) {
      log.warn('client without a certificate refused', { address: client });
      turnedAway(client, 'no-certificate');
    },
    accept(socket) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      serve(options, socket).catch((error: unknown) => {
        log.error('session of NETCONF failed', { reason: reasonOf(error) });
        socket.destroy();
      });
    },
    monotonic: () => performance.now(),
  });
  return {
    server,
    cut() {
      for (const socket of open) socket.destroy();
    },
  };
}

async function serve(options: ClientServingOptions, socket: TLSSocket): Promise<void> {
  const { peers, sessions, sessionLogins, datastore, operations, changed, log } = options;
  const { session: limits, lenientInteractive } = options.settings();
  const identity = await sessionLogins.begin(socket);
  if (typeof identity === 'string') {
    changed();
    sendAway(socket, limits.closeMilliseconds);
    return;
  }
  if (socket.destroyed) return;
  const { userName } = identity.account;
  const session = sessions.open({ userName, address: peers.addressOf(socket) });
  sessionLogins.follow(session, socket);
  // Whoever changed something while the client logged in did not see the session
  sessionLogins.lookAgain();
  changed();
  await runSession({
    ...{ stream: socket, sessions, session, operations, limits, lenientInteractive, log },
    capabilities: datastore.capabilities,
    current: () => sessionLogins.again(session, socket),
  });
}

/** The client reads that the connection ends, and not that it broke. */
function sendAway(socket: TLSSocket, milliseconds: number): void {
  const timer = setTimeout(() => socket.destroy(), milliseconds);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  socket.end();
}
