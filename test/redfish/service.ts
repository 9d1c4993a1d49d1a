import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/core/log.ts';
import { AccessSettings } from '../../src/identity/accounts/access-settings.ts';
import type { Accounts } from '../../src/identity/accounts/accounts.ts';
import type { FailedLoginLimits } from '../../src/identity/accounts/failed-logins.ts';
import type { GuardedUsers } from '../../src/identity/accounts/guarded-users.ts';
import { RenameFollower } from '../../src/identity/accounts/rename-follower.ts';
import { AccountCertificates } from '../../src/identity/peer-certificates/account-certificates.ts';
import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';
import {
  type Access,
  type AccessLimits,
  followRenames,
  makeAccess,
} from '../../src/redfish/access.ts';
import { makeApp } from '../../src/redfish/app.ts';
import { linkIssuers } from '../../src/redfish/certificates/certificate-links.ts';
import { collectionsOf, runTimeCollections } from '../../src/redfish/certificates/collections.ts';
import type { ServedCertificate } from '../../src/redfish/certificates/served.ts';
import type { Compatibility } from '../../src/redfish/compatibility.ts';
import type { EventSettings } from '../../src/redfish/events/event-settings.ts';
import { type EventOptions, type Events, makeEvents } from '../../src/redfish/events/events.ts';
import { listenerLogins } from '../../src/redfish/events/listeners.ts';
import type { HttpLimits } from '../../src/redfish/http/limits.ts';
import type { ResourceParts } from '../../src/redfish/resources/index.ts';
import type { Sessions } from '../../src/redfish/sessions/sessions.ts';
import { openManagerSettings } from '../../src/redfish/set-up/manager-details.ts';
import { Tasks } from '../../src/redfish/tasks/tasks.ts';
import type { WebUi } from '../../src/redfish/web-ui/directory.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { accountsAt, guarded } from '../fakes/accounts.ts';
import { MemoryAdministration } from '../fakes/memory-administration.ts';
import { MemoryClient } from '../fakes/memory-client.ts';
import { openQuickly } from '../fakes/opened-content.ts';
import { recordedAudit } from '../fakes/recorded-audit.ts';
import { checkAnswer } from '../schemas/answers.ts';

/** The Redfish application over plain HTTP with a manager in memory. */
export interface TestService {
  readonly client: MemoryClient;
  readonly administration: MemoryAdministration;
  readonly accounts: Accounts;
  /** What guards them. */
  readonly users: GuardedUsers;
  readonly access: Access;
  readonly log: string[];
  /** The lines of the audit. */
  readonly audit: string[];
  readonly events: Events;
  readonly sessions: Sessions;
  /** Where its files are. */
  readonly directory: string;
  readonly parts: ResourceParts;
  readonly port: number;
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
  /** In place of a body: bytes as they are. */
  readonly binary?: Buffer;
  /** `name:password` for HTTP Basic; the administrator's unless given, none when empty. */
  readonly as?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A certificate to put into the memory of the manager. */
export const samplePem = generateCertificate(
  { hostName: 'sample', addresses: [] },
  { validDays: 10, renewBeforeDays: 1, curve: 'prime256v1', organization: 'Test' },
  Date.now(),
).leaf.pem;

/** Small enough to be reached in a test. */
export const httpLimits: HttpLimits = {
  bodyBytes: 65_536,
  jsonBytes: 16_384,
  changesPerUser: 10,
  uriBytes: 2048,
  gzipBytes: 1024,
  keptReadBytes: 65_536,
  query: {
    expandLevels: 3,
    expandedResources: 20,
    filterCharacters: 200,
    filterDepth: 3,
    selectedMembers: 5,
  },
};

/** The endpoints of the default configuration. */
export const endpoints = [
  { type: 'server', name: 'https' },
  { type: 'client', name: 'ldap' },
  { type: 'authority', name: 'truststore' },
  { type: 'authority', name: 'revoked' },
] as const;

export const eventSettings: EventSettings = {
  subscriptions: 3,
  subscriptionsPerUser: 5,
  streams: 2,
  streamsPerUser: 2,
  bufferedEvents: 3,
  queuedEvents: 3,
  unreadBytes: 100_000,
  keepAliveSeconds: 30,
  loginCheckSeconds: 5,
  statusCheckSeconds: 5,
  headers: 4,
  headerCharacters: 300,
  filterCharacters: 200,
  filterDepth: 3,
  deliverySeconds: 2,
  responseBytes: 1000,
  retryAttempts: 2,
  retryIntervalSeconds: 60,
  longestBackoffSeconds: 600,
  allowLoopback: true,
  allowLinkLocal: false,
};

export interface ServiceOptions {
  /** Of passwords; there are thousands of logins, and most tests are not about how long a hash takes. */
  readonly hashCost?: number;
  readonly http?: Partial<HttpLimits>;
  readonly limits?: Partial<AccessLimits> & {
    readonly queuedLogins?: number;
    readonly failedLogins?: FailedLoginLimits;
  };
  readonly compatibility?: Compatibility;
  readonly events?: Partial<EventSettings>;
  readonly clock?: EventOptions['clock'];
  readonly expiryThresholds?: readonly number[];
  /** A manager that was there before the service. */
  readonly client?: MemoryClient;
  readonly webUi?: WebUi;
  /** Files of a service that was there before. */
  readonly directory?: string;
  /** What clients see of the certificates; just those of the manager unless given. */
  readonly served?: ServedCertificate;
  /** In place of what a test service has. */
  readonly parts?: Partial<
    Pick<ResourceParts, 'hostName' | 'managerDetails' | 'now' | 'collections' | 'servedEndpoint'>
  >;
}

/** The parts of a service with a manager in memory and the accounts `admin` and `reader`. */
export interface TestParts extends ResourceParts {
  readonly client: MemoryClient;
  readonly administration: MemoryAdministration;
  readonly accounts: Accounts;
  readonly users: GuardedUsers;
  readonly access: Access & { readonly accountCertificates: AccountCertificates };
  /** What was logged. */
  readonly lines: string[];
  readonly auditLines: string[];
  readonly log: Log;
}

const allShown: ServedCertificate = {
  refresh: async () => undefined,
  conditionsOf: () => [],
  onChange: () => () => undefined,
  version: () => 0,
};

export async function makeTestParts(
  directory: string,
  {
    limits = {},
    compatibility = 'standard',
    events,
    clock,
    parts,
    expiryThresholds = [30, 7],
    client = new MemoryClient(),
    served = allShown,
    hashCost = 2 ** 8,
  }: ServiceOptions = {},
): Promise<TestParts> {
  const configured = collectionsOf('bmc', endpoints);
  const collections = () => [
    ...configured,
    ...runTimeCollections('bmc', client.runTimeEndpoints(), true),
  ];
  const accounts = accountsAt(join(directory, 'accounts.json'), { max: 6, hashCost });
  await accounts.setPassword('admin', 'Administrator', 'admin-pw');
  await accounts.setPassword('reader', 'ReadOnly', 'reader-pw');
  const settings = new AccessSettings(join(directory, 'access-settings.json'), {
    basicAuth: 'Enabled',
    sessionSeconds: 60,
  });
  const { sessions = 4, sessionsPerUser = 3, ...guardLimits } = limits;
  const { audit, auditLines } = recordedAudit();
  const users = guarded(accounts, { audit, ...guardLimits });
  const accountCertificates = new AccountCertificates(
    join(directory, 'account-certificates.json'),
    { perAccount: 2, accountCertificateBytes: 4096, content: usualLimits },
  );
  const lines: string[] = [];
  const note = (message: string, fields: object = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const renames = new RenameFollower(join(directory, 'followed-renames.json'), log);
  const rest = makeAccess({ users, settings, renames, audit }, { sessions, sessionsPerUser });
  const access = { ...rest, accountCertificates };
  followRenames(access);
  const eventService = await makeEvents({
    ...{ client, collections, served, log, expiryThresholds },
    path: join(directory, 'events.json'),
    settings: { ...eventSettings, ...events },
    logins: listenerLogins(access),
    ...(clock && { clock }),
    random: () => 0.5,
  });
  // As the service does, which comes up without what the disk refuses
  await renames.complete().catch(() => undefined);
  return {
    client,
    administration: new MemoryAdministration(client),
    events: eventService,
    accounts,
    users,
    access,
    lines,
    auditLines,
    log,
    collections,
    certificateLinks: linkIssuers(client, collections),
    tasks: new Tasks({
      limits: { patience: 200, tasks: 4 },
      now: Date.now,
      report: (error) => note('task failed', { error: String(error) }),
    }),
    compatibility,
    now: () => (clock ? clock.now() : Date.now()),
    expiryThresholds,
    hostName: () => 'bmc-test',
    managerId: 'bmc',
    managerDetails: {
      firmwareVersion: '1.2.3',
      lastReset: () => Date.UTC(2026, 0, 1),
      settings: openManagerSettings(join(directory, 'manager-settings.json'), log),
    },
    serviceId: '00000000-0000-4000-8000-000000000000',
    port: () => 443,
    query: httpLimits.query,
    contentLimits: usualLimits,
    openContent: openQuickly,
    tlsProfile: 'intermediate',
    servedEndpoint: 'https',
    served,
    ...parts,
  };
}

export async function startService(options: ServiceOptions = {}): Promise<TestService> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'redfish-'));
  const parts = await makeTestParts(directory, options);
  const { client, administration, accounts, users, access, lines, log } = parts;
  const app = makeApp({
    limits: { ...httpLimits, ...options.http },
    webUi: options.webUi,
    log,
    parts,
  });
  const server = createServer({ requireHostHeader: false }, app.handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    client,
    administration,
    accounts,
    users,
    access,
    log: lines,
    audit: parts.auditLines,
    events: parts.events,
    sessions: access.sessions,
    directory,
    parts,
    port,
    ask: (method, path, options) => ask(port, method, path, options),
    async close() {
      await parts.events.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function ask(
  port: number,
  method: string,
  path: string,
  { headers = {}, body = '', binary, as = 'admin:admin-pw' }: AskOptions = {},
): Promise<Answer> {
  const login = as === '' ? {} : { Authorization: `Basic ${Buffer.from(as).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers: { ...login, ...headers } };
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        const { statusCode: status = 0, headers: received } = response;
        const contentType = received['content-type'] ?? '';
        try {
          checkAnswer({ method, path, status, contentType, text });
          resolve({ status, headers: received, text });
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.on('error', reject);
    asked.end(binary ?? (typeof body === 'string' ? body : JSON.stringify(body)));
  });
}
