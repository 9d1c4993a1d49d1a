import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateCertificate } from '../../src/manager/generated-certificate.ts';
import { Accounts } from '../../src/redfish/access/accounts.ts';
import { Sessions } from '../../src/redfish/access/sessions.ts';
import { makeApp } from '../../src/redfish/app.ts';
import { followKinship } from '../../src/redfish/certificates/kinship.ts';
import { certificatePlaces } from '../../src/redfish/certificates/places.ts';
import type { Compatibility } from '../../src/redfish/compatibility.ts';
import {
  type EventOptions,
  type EventSettings,
  type Events,
  makeEvents,
} from '../../src/redfish/events/events.ts';
import { maySubscribe } from '../../src/redfish/events/listeners.ts';
import type { ServiceParts } from '../../src/redfish/resource.ts';
import { Tasks } from '../../src/redfish/tasks/tasks.ts';
import { MemoryClient } from '../fakes/memory-client.ts';

/** The Redfish application over plain HTTP with a manager in memory. */
export interface TestService {
  readonly client: MemoryClient;
  readonly accounts: Accounts;
  readonly log: string[];
  readonly events: Events;
  readonly sessions: Sessions;
  readonly port: number;
  /** Where its files are. */
  readonly directory: string;
  readonly parts: ServiceParts;
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

/** The endpoints of the default configuration. */
export const endpoints = [
  { type: 'server', name: 'https' },
  { type: 'client', name: 'ldap' },
  { type: 'authority', name: 'truststore' },
  { type: 'authority', name: 'revoked' },
] as const;

export const eventSettings: EventSettings = {
  subscriptions: 3,
  streams: 2,
  bufferedEvents: 3,
  queuedEvents: 3,
  unreadBytes: 100_000,
  keepAliveSeconds: 30,
  loginCheckSeconds: 5,
  deliverySeconds: 2,
  responseBytes: 1000,
  retryAttempts: 2,
  retryIntervalSeconds: 60,
  longestBackoffSeconds: 600,
  allowLoopback: true,
  allowLinkLocal: false,
};

export interface ServiceOptions {
  readonly settings?: Partial<EventSettings>;
  readonly clock?: EventOptions['clock'];
  /** Files of a service that was there before. */
  readonly directory?: string;
}

export async function startService(
  bodyBytes = 65_536,
  compatibility: Compatibility = 'standard',
  options: ServiceOptions = {},
): Promise<TestService> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'redfish-'));
  const client = new MemoryClient();
  const places = certificatePlaces('bmc', endpoints);
  const accounts = new Accounts(join(directory, 'accounts.json'), 5);
  await accounts.setPassword('admin', 'Administrator', 'admin-pw');
  await accounts.setPassword('reader', 'ReadOnly', 'reader-pw');
  const lines: string[] = [];
  const note = (message: string, fields: object = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const sessions = new Sessions({ sessions: 4, idleMilliseconds: 60_000 });
  const events = await makeEvents({
    ...{ client, places, log },
    path: join(directory, 'events.json'),
    settings: { ...eventSettings, ...options.settings },
    mayListen: maySubscribe(accounts, sessions),
    ...(options.clock && { clock: options.clock }),
    random: () => 0.5,
  });
  const parts: ServiceParts = {
    client,
    accounts,
    sessions,
    events,
    places,
    kinship: followKinship(client, places),
    tasks: new Tasks({
      limits: { patience: 200, tasks: 4 },
      now: Date.now,
      report: (error) => note('task failed', { error: String(error) }),
    }),
    compatibility,
    now: Date.now,
    expiryThresholds: [30, 7],
    hostName: () => 'bmc-test',
    managerId: 'bmc',
    sessionSeconds: 60,
    serviceId: '00000000-0000-4000-8000-000000000000',
    port: () => 443,
  };
  const app = makeApp({
    bodyBytes,
    log,
    parts,
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    client,
    accounts,
    log: lines,
    ...{ events, sessions, directory },
    parts,
    port,
    ask: (method, path, options) => ask(port, method, path, options),
    async close() {
      events.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function ask(
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
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    asked.on('error', reject);
    asked.end(binary ?? (typeof body === 'string' ? body : JSON.stringify(body)));
  });
}
