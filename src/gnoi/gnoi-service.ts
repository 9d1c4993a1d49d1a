import { Server } from '@grpc/grpc-js';
import { System } from '../../schemas/generated/gnoi/system_pb.js';
import type { Audit } from '../core/audit.ts';
import { reasonOf } from '../core/cert-error.ts';
import { Listeners } from '../core/listeners.ts';
import type { Log } from '../core/log.ts';
import type { Users } from '../identity/accounts/user-directory.ts';
import { LoginAudit } from '../identity/login-audit.ts';
import { type ConnectionBounds, listen } from '../tls/bounded-server.ts';
import type { TlsProfileName } from '../tls/profile.ts';
import type { ServerIdentity } from '../tls/server-identity.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { parsePem } from '../x509/pem.ts';
import { auditedStep } from './audited-step.ts';
import { serveCertificateManagement } from './certificate-management.ts';
import type { CertificateStore } from './certificate-store.ts';
import { CertificateWork, type WorkSettings } from './certificates/certificate-work.ts';
import { Rotations } from './rotations.ts';
import type { Caller } from './rpc/caller.ts';
import { makeLogins } from './rpc/logins.ts';
import { serveUnary } from './rpc/register.ts';
import {
  type AuthenticationMode,
  authenticationMode,
  type ClientAuthentication,
} from './serving/client-authentication.ts';
import { makeConnections } from './serving/connections.ts';
import { makeListener } from './serving/listener.ts';
import { trustedBundle } from './serving/trusted-bundle.ts';
import { untilShown } from './shown-certificate.ts';
import { IdClaims } from './steps/id-claims.ts';
import { Parking } from './steps/parking.ts';
import type { AuditedStep, StepLimits } from './steps/step-stream.ts';
import type { StreamProfile } from './steps/stream-states.ts';

export interface GnoiSettings {
  readonly address: string;
  readonly port: number;
  /** State directory of the service. */
  readonly directory: string;
  readonly streams: StreamProfile;
  /** Absent where the bundle decides. */
  readonly clientAuthentication?: ClientAuthentication | undefined;
  readonly tls: { readonly profile: TlsProfileName; readonly ticketMilliseconds: number };
  readonly work: WorkSettings;
  readonly steps: StepLimits;
  /** How long keys may wait for certificates that come with another call. */
  readonly parkedMilliseconds: number;
  readonly listener: ConnectionBounds;
  readonly drainMilliseconds: number;
  readonly messageBytes: number;
  readonly streamsPerConnection: number;
}

export interface GnoiDependencies {
  readonly settings: GnoiSettings;
  readonly store: CertificateStore;
  /** Whether the service shows the certificate of an id. */
  readonly isBound: (id: string) => boolean;
  readonly identity: ServerIdentity;
  readonly users: Pick<Users, 'login' | 'find' | 'passwordStamp' | 'onChange'>;
  readonly audit: Audit;
  readonly hostName: () => string;
  readonly log: Log;
}

/** A gNOI service that listens. */
export interface GnoiService {
  readonly port: number;
  authentication(): AuthenticationMode;
  /** The CAs that verify clients. */
  authorities(): readonly Certificate[];
  readonly rotations: Rotations;
  /** Puts what counts of other settings without a restart in force; streams that are open go on by the old ones. */
  apply(settings: GnoiSettings): void;
  /** Calls back when the mode, the bundle or a rotation may be another. */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}

/** A connection whose client is gone becomes a broken one, so that what it had on trial is undone. */
const keepalive = { 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_timeout_ms': 5000 };

/**
 * Puts the parts of the service together, and listens. It is long because there are many, which call each other.
 * @throws SetupError where the port cannot be used
 */
export async function startGnoiService(dependencies: GnoiDependencies): Promise<GnoiService> {
  const { store, identity, users, audit, hostName, log } = dependencies;
  const { address, directory, ...fixed } = dependencies.settings;
  let settings = dependencies.settings;
  const logins = makeLogins({
    ...{ users, logins: new LoginAudit(audit, 'gnoi'), log },
    waitingLogins: fixed.streamsPerConnection,
  });
  const rpcServer = new Server({
    interceptors: [logins.interceptor],
    'grpc.max_receive_message_length': fixed.messageBytes,
    'grpc.max_concurrent_streams': fixed.streamsPerConnection,
    ...keepalive,
  });
  const connections = makeConnections(rpcServer, () => settings.drainMilliseconds);
  const bundle = trustedBundle(store, directory, log);
  const authentication = () =>
    authenticationMode(settings.clientAuthentication, bundle.authorities.length > 0);
  const listeners = new Listeners<{ readonly kind: 'status' }>(log);

  const mode = modeInForce(authentication, connections.keepOnly, log);
  const follow = () => {
    bundle.refresh();
    mode.follow();
    listeners.tell({ kind: 'status' });
  };
  const audited = async <T>(caller: Caller, step: AuditedStep, work: () => Promise<T>) => {
    try {
      return await mode.during(() => auditedStep(audit, caller, step, work));
    } finally {
      follow();
    }
  };

  let port = 0;
  const listensAt = () => ({ address, port });
  const rotations = new Rotations(follow);
  const work = new CertificateWork({
    ...{ store, hostName, rotations, log },
    settings: () => settings.work,
    now: Date.now,
    shown: (id, certificate) => untilShown({ ...dependencies, listensAt }, id, certificate),
  });
  const parking = new Parking({
    milliseconds: () => settings.parkedMilliseconds,
    after,
    discard: (id) => void work.discard(id),
  });
  const report = (error: unknown, method: string) =>
    log.error('call failed', { method, reason: causesOf(error) });
  const { callerOf, again } = logins;
  const rpc = { server: rpcServer, callerOf, again, report };
  const rules = () => ({ profile: settings.streams, limits: settings.steps });
  serveCertificateManagement(rpc, {
    store,
    steps: { rules, work, claims: new IdClaims(), parking, after, audited, report },
  });
  serveUnary(rpc, System.method.time, 'Login', async () => ({
    time: BigInt(Date.now()) * 1_000_000n,
  }));

  const listener = makeListener({
    identity,
    ...fixed.tls,
    authorities: () => bundle.authorities,
    mode: () => authentication().mode,
    limits: fixed.listener,
    accept(socket, mode) {
      logins.connected(socket);
      connections.accept(socket, mode);
    },
    monotonic: () => performance.now(),
    log,
  });
  const stopFollowing = store.onChange(follow);
  const place = { member: 'gnoi.port', option: '--gnoi-port' };
  port = await listen(listener, { address, port: fixed.port, ...place });
  await store.discardAllRequests().catch((error: unknown) => {
    log.warn('keys of an earlier run are not given up', { reason: reasonOf(error) });
  });
  return {
    ...{ port, authentication, rotations },
    authorities: () => parsePem(bundle.authorities.join('')).map(({ der }) => readCertificate(der)),
    apply(next) {
      settings = next;
      follow();
    },
    onChange: (listener) => void listeners.add(listener),
    async close() {
      stopFollowing();
      listener.close();
      connections.close();
      await bundle.settled();
    },
  };
}

/**
 * The way in which clients are authenticated. Connections of the way before end, but not before the answer to the change
 * that brought the new one.
 */
function modeInForce(
  authentication: () => AuthenticationMode,
  keepOnly: (mode: ClientAuthentication) => void,
  log: Log,
) {
  let atWork = 0;
  let inForce = authentication().mode;
  return {
    async during<T>(work: () => Promise<T>): Promise<T> {
      atWork += 1;
      try {
        return await work();
      } finally {
        atWork -= 1;
      }
    },
    follow(): void {
      const { mode, cause } = authentication();
      if (mode === inForce || atWork > 0) return;
      inForce = mode;
      log.info('clients are authenticated in another way', { mode, cause });
      keepOnly(mode);
    },
  };
}

function after(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds).unref();
  return () => clearTimeout(timer);
}

function causesOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return reasonOf(error) + (cause === undefined ? '' : `: ${causesOf(cause)}`);
}
