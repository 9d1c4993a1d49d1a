import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type RequestOptions, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import {
  AccessSettings,
  type CertificateLogin,
} from '../../../src/identity/accounts/access-settings.ts';
import type { Accounts } from '../../../src/identity/accounts/accounts.ts';
import type { AccountCertificates } from '../../../src/identity/peer-certificates/account-certificates.ts';
import { ClientCertificates } from '../../../src/identity/peer-certificates/client-certificates.ts';
import type { EndpointRef } from '../../../src/manager/certificate-client.ts';
import { makeApp } from '../../../src/redfish/app.ts';
import { type Events, makeEvents } from '../../../src/redfish/events/events.ts';
import { listenerLogins } from '../../../src/redfish/events/listeners.ts';
import { makeServer } from '../../../src/redfish/http/server.ts';
import { type HandshakeLimits, usualHandshakeLimits } from '../../../src/tls/handshake-limiter.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { fixedIdentity } from '../../fakes/fixed-identity.ts';
import type { MemoryClient } from '../../fakes/memory-client.ts';
import type { Issued, OpensslAuthority } from '../../fakes/openssl-authority.ts';
import { ManualClock } from '../events/manual-clock.ts';
import { eventSettings, httpLimits, makeTestParts } from '../service.ts';

export const truststore: EndpointRef = { type: 'authority', name: 'truststore' };
export const revoked: EndpointRef = { type: 'authority', name: 'revoked' };

/** All of the service over real TLS, but for the manager, which is in memory. */
export interface TlsService {
  readonly client: MemoryClient;
  readonly settings: AccessSettings;
  readonly settingsPath: string;
  readonly accountCertificates: AccountCertificates;
  readonly accounts: Accounts;
  readonly certificates: ClientCertificates;
  readonly server: Server;
  readonly log: string[];
  /** The lines of the audit. */
  readonly audit: string[];
  readonly port: number;
  readonly clock: ManualClock;
  readonly events: Events;
  /** What the clock of the device is ahead of ours, in milliseconds. */
  ahead: number;
  /** What the clock that never jumps is ahead of ours, in milliseconds. */
  elapsed: number;
  /** When connections are cut that lost their trust. */
  cutMilliseconds: number;
  alwaysRespond: boolean;
  /** Has clients log in with certificates as at first, but for this. */
  setLogin(change: Partial<CertificateLogin>): Promise<void>;
  /** The settings as they are after a start. */
  stored(): AccessSettings;
  ask(path: string, options?: Ask): Promise<Answer>;
  /** Resolves when connections that lost their trust before the call are cut. */
  afterCut(): Promise<void>;
  close(): Promise<void>;
}

export interface Ask {
  readonly method?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the client shows; its chain follows. */
  readonly show?: Issued;
  readonly chain?: readonly Issued[];
  /** `name:password` for HTTP Basic. */
  readonly as?: string;
  /** Connections are kept where one is given. */
  readonly agent?: Agent;
  readonly tls?: RequestOptions;
}

export interface Answer {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  readonly text: string;
  readonly reused: boolean;
}

const limits = {
  headerBytes: 8192,
  connections: 50,
  connectionsPerAddress: 50,
  unansweredRequests: 8,
  requestMilliseconds: 5000,
  idleMilliseconds: 30_000,
  handshakeMilliseconds: 5000,
  sendMilliseconds: 5000,
};

/** A stream of events on a connection of its own, which the service has accepted. */
export async function openStream(
  { port, events }: TlsService,
  show: Issued,
  ...chain: readonly Issued[]
): Promise<TLSSocket> {
  const before = events.streams.list().length;
  const cert = [show, ...chain].map(({ pem }) => pem).join('');
  const socket = connect({
    ...{ port, host: '127.0.0.1', rejectUnauthorized: false },
    ...{ key: show.key, cert },
  });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write('GET /redfish/v1/EventService/SSE HTTP/1.1\r\nHost: bmc\r\n\r\n');
  while (events.streams.list().length === before) await sleep(5);
  return socket;
}

export async function startTlsService(
  authority: OpensslAuthority,
  handshakes: Partial<HandshakeLimits> = {},
  served: Issued = authority.issue({ subject: '/CN=bmc' }),
  handshakeMilliseconds = limits.handshakeMilliseconds,
): Promise<TlsService> {
  const directory = mkdtempSync(join(tmpdir(), 'mutual-'));
  const parts = await makeTestParts(directory);
  const { client, accounts, lines: log, log: noting } = parts;
  const settingsPath = join(directory, 'access-settings.json');
  const { settings, logins } = parts.access;
  const own = {
    ahead: 0,
    elapsed: 0,
    cutMilliseconds: 50,
    alwaysRespond: false,
  };
  const clientCertificates = new ClientCertificates({
    client,
    endpoints: { truststore, revoked },
    settings,
    logins,
    accountCertificates: parts.access.accountCertificates,
    findUser: (userName) => accounts.find(userName),
    hostName: () => 'bmc.lab.example.com',
    now: () => Date.now() + own.ahead,
    limits: { nameBytes: 32_768, chainCertificates: 10, content: usualLimits },
    get alwaysRespond() {
      return own.alwaysRespond;
    },
    get cutMilliseconds() {
      return own.cutMilliseconds;
    },
    log: noting,
  });
  const access = { ...parts.access, certificates: clientCertificates };
  const clock = new ManualClock();
  const events = await makeEvents({
    expiryThresholds: [],
    ...{
      client,
      collections: parts.collections,
      log: noting,
      clock,
      settings: eventSettings,
    },
    path: join(directory, 'streams.json'),
    logins: listenerLogins(access),
  });
  const app = makeApp({
    limits: httpLimits,
    log: noting,
    parts: { ...parts, access, events },
  });
  const { key, pem } = served;
  const path = authority.write(`${directory.split('/').at(-1)}.pem`, key + pem);
  const identity = fixedIdentity(path);
  const server = makeServer(
    {
      ...{ identity, clientCertificates, log: noting },
      limits: { ...limits, handshakeMilliseconds },
      handshakes: { ...usualHandshakeLimits, ...handshakes },
      monotonic: () => performance.now() + own.elapsed,
    },
    app,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(own, {
    client,
    settings,
    settingsPath,
    accountCertificates: parts.access.accountCertificates,
    accounts,
    certificates: clientCertificates,
    server,
    log,
    audit: parts.auditLines,
    port,
    clock,
    events,
    setLogin: (change: Partial<CertificateLogin>) =>
      settings.change(() => ({
        clientCertificates: { enabled: true, respond: true, mapping: 'CommonName', ...change },
      })),
    stored: () => new AccessSettings(settingsPath, {} as never),
    ask: (path: string, options: Ask = {}) => ask(port, path, options),
    // The timer of the cut is older, so it fires first
    afterCut: () => sleep(2 * own.cutMilliseconds),
    async close() {
      // What they tell of a change is on the disk when they are closed
      const closed = Promise.all([parts.events.close(), events.close()]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await closed;
      rmSync(directory, { recursive: true });
    },
  });
}

function ask(port: number, path: string, options: Ask): Promise<Answer> {
  const { method = 'GET', body, headers = {}, show, chain = [], as, agent, tls = {} } = options;
  const login = as && { Authorization: `Basic ${Buffer.from(as).toString('base64')}` };
  return new Promise((resolve) => {
    const asked = request(
      {
        ...{ host: '127.0.0.1', port, path, method, rejectUnauthorized: false },
        ...(show && { key: show.key, cert: [show, ...chain].map(({ pem }) => pem).join('') }),
        agent: agent ?? new Agent({ maxCachedSessions: 0 }),
        headers: { ...login, ...headers },
        ...tls,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text, reused: asked.reusedSocket });
        });
      },
    );
    asked.on('error', (error) => resolve({ status: 0, text: String(error), reused: false }));
    asked.end(body && JSON.stringify(body));
  });
}
