import type { Audit } from '../core/audit.ts';
import { Listeners } from '../core/listeners.ts';
import type { Log } from '../core/log.ts';
import type { Users } from '../identity/accounts/user-directory.ts';
import { LoginAudit } from '../identity/login-audit.ts';
import type { ClientIdentityList } from '../identity/peer-certificates/client-identity-list.ts';
import type { Explanation } from '../identity/peer-certificates/explain.ts';
import {
  PeerCertificates,
  type PeerCertificatesOptions,
} from '../identity/peer-certificates/peer-certificates.ts';
import type { RefusedClient } from '../identity/peer-certificates/refused-clients.ts';
import { type ConnectionBounds, listen } from '../tls/bounded-server.ts';
import type { TlsProfileName } from '../tls/profile.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Lockout } from './operations/lockout.ts';
import type { Datastore, DatastoreSettings } from './operations/operations.ts';
import type { ClientTrust } from './serving/client-trust.ts';
import { serveClients } from './serving/serve-clients.ts';
import { lockoutOf } from './serving/session-lockout.ts';
import { makeSessionLogins } from './serving/session-logins.ts';
import type { ShownCertificate } from './serving/shown-certificate.ts';
import { type Standing, watchStanding } from './serving/standing.ts';
import { traced } from './serving/trace.ts';
import type { SessionLimits } from './session/session.ts';
import { type Session, Sessions } from './session/sessions.ts';

export interface NetconfSettings {
  readonly address: string;
  readonly port: number;
  /** Of those that the manager writes files for. */
  readonly service: string;
  /** Names of the authorities that verify clients. */
  readonly clientAuthorities: readonly string[];
  readonly lenientInteractive: boolean;
  readonly trace: boolean;
  readonly profile: TlsProfileName;
  readonly bounds: ConnectionBounds;
  readonly session: SessionLimits;
  readonly peers: PeerCertificatesOptions['limits'];
  readonly datastore: DatastoreSettings;
}

export interface NetconfDependencies {
  readonly settings: NetconfSettings;
  readonly shown: ShownCertificate;
  readonly trust: ClientTrust;
  readonly identities: ClientIdentityList;
  readonly users: Pick<Users, 'find' | 'onChange'>;
  /** @param parts what the sessions of the service are to the datastore */
  readonly datastore: (parts: {
    readonly sessions: Sessions;
    readonly lockout: Lockout;
    readonly settings: () => DatastoreSettings;
  }) => Datastore;
  /** How long a change may take to answer before sessions end because of it. */
  readonly cutMilliseconds: number;
  readonly hostName: () => string;
  /** Milliseconds since 1970, by the clock of the device. */
  readonly now: () => number;
  readonly audit: Audit;
  readonly log: Log;
}

/** A NETCONF service that listens. */
export interface NetconfService {
  readonly port: number;
  standing(): Standing;
  sessions(): readonly Session[];
  /** The newest first. */
  refused(): readonly RefusedClient[];
  /** @param shown what a client would show, its own certificate first */
  explain(shown: readonly Certificate[]): Promise<Explanation>;
  /** Whether each operation is logged. */
  trace: boolean;
  /** What the service looks at has changed. */
  follow(): void;
  /** Puts what counts of other settings without a restart in force. */
  apply(settings: NetconfSettings): void;
  /** Calls back when the standing, the sessions or the refused clients may be others. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}

/** Puts the parts of the service together; it is long because they are many. @throws SetupError where the port cannot be used */
export async function startNetconfService(
  dependencies: NetconfDependencies,
): Promise<NetconfService> {
  const { shown, trust, identities, users, hostName, now, log } = dependencies;
  const { address, service } = dependencies.settings;
  let settings = dependencies.settings;
  let { trace } = settings;
  const listeners = new Listeners<{ readonly kind: 'status' }>(log);
  const changed = () => listeners.tell({ kind: 'status' });
  const logins = new LoginAudit(dependencies.audit, 'netconf');
  const sessions = new Sessions({ now: () => new Date(now()), log });
  const peers = new PeerCertificates({
    ...{ logins, now, log, limits: settings.peers },
    trust: () => trust.lists(),
    issuedOnly: true,
    identities: () => identities.inForce,
    mapping: { hostName, ownerOf: () => undefined },
    findUser: (userName) => users.find(userName),
    asks: () => true,
    requires: () => true,
  });
  const datastore = dependencies.datastore({
    sessions,
    lockout: lockoutOf(peers, trust),
    settings: () => settings.datastore,
  });
  const operations = traced(datastore.operations, () => trace, log);
  const { cutMilliseconds } = dependencies;
  const sessionLogins = makeSessionLogins({ peers, logins, sessions, cutMilliseconds, log });
  const standing = watchStanding({
    ...{ shown, trust, service, now, log },
    authorities: () => settings.clientAuthorities,
    onOther: changed,
  });

  const clients = serveClients({
    ...{ identity: shown.identity, profile: settings.profile, bounds: settings.bounds },
    ...{ peers, logins, sessions, sessionLogins, standing, datastore, operations, changed },
    ...{ settings: () => settings, now, log },
  });
  const follow = () => {
    standing.look();
    sessionLogins.lookAgain();
    changed();
  };
  users.onChange(follow);
  const stops = [
    identities.onChange(follow),
    shown.identity.onChange(follow),
    sessions.onEnd(changed),
  ];
  const place = { member: 'netconf.port', option: '--netconf-port' };
  const port = await listen(clients.server, { address, port: settings.port, ...place });
  standing.look();
  return {
    ...{ port, follow, standing: standing.current },
    sessions: () => sessions.list(),
    refused: () => peers.report.clients.list(),
    explain: (chain) => peers.explain(chain),
    get trace() {
      return trace;
    },
    set trace(on) {
      trace = on;
      changed();
    },
    apply(next) {
      if (next.trace !== settings.trace) trace = next.trace;
      settings = next;
      follow();
    },
    onChange: (listener) => void listeners.add(listener),
    async close() {
      for (const stop of stops) stop();
      clients.server.close();
      sessionLogins.close();
      await Promise.all(sessions.list().map(({ id }) => sessions.terminate(id, 'other')));
      clients.cut();
      datastore.close();
    },
  };
}
