import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateManagement, CertificateType } from '../../schemas/generated/gnoi/cert_pb.js';
import { edgeStore } from '../../src/gnoi/edge-store.ts';
import {
  type GnoiService,
  type GnoiSettings,
  startGnoiService,
} from '../../src/gnoi/gnoi-service.ts';
import type { LoginOutcome, User } from '../../src/identity/accounts/user-directory.ts';
import { IdentityError } from '../../src/identity/identity-error.ts';
import { openServerIdentity, type ServerIdentity } from '../../src/tls/server-identity.ts';
import type { Certificate } from '../../src/x509/certificate.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { makeCredential } from '../fakes/credentials.ts';
import { MemoryEndpoints } from '../fakes/memory-endpoints.ts';
import { type OpensslAuthority, opensslAuthority } from '../fakes/openssl-authority.ts';
import { recordedAudit } from '../fakes/recorded-audit.ts';
import { type ClientOptions, GnoiClient } from './client.ts';

export const { method: certificates } = CertificateManagement;

/** What a log says, of all levels. */
function recordedLog() {
  const lines: string[] = [];
  const note = (message: string, fields: object = {}) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, log: { debug: note, info: note, warn: note, error: note } };
}

/** One administrator and one operator, and what becomes of their accounts. */
export class MemoryUsers {
  users: User[] = (['admin', 'operator'] as const).map((userName) => ({
    userName,
    role: userName === 'admin' ? 'Administrator' : 'Operator',
    ...{ enabled: true, locked: false, passwordChangeRequired: false, passwordStamp: '1' },
    accountTypes: ['Redfish'],
  }));
  isAway = false;
  /** Passwords that were checked. */
  checked = 0;
  readonly #listeners = new Set<() => void>();

  change(userName: string, change: Partial<User>): void {
    this.users = this.users.map((one) => (one.userName === userName ? { ...one, ...change } : one));
    for (const listener of this.#listeners) listener();
  }

  async login(
    { userName }: { readonly userName: string },
    password: string,
  ): Promise<LoginOutcome> {
    if (this.isAway) throw new IdentityError('unavailable');
    this.checked += 1;
    const user = await this.find(userName);
    if (!user || password !== 'right password') return { kind: 'wrong' };
    if (user.locked) return { kind: 'locked' };
    return { kind: user.passwordChangeRequired ? 'password-expired' : 'ok', user };
  }

  async find(userName: string): Promise<User | undefined> {
    return this.users.find((one) => one.userName === userName);
  }

  passwordStamp(userName: string): string | undefined {
    return this.users.find((one) => one.userName === userName)?.passwordStamp;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }
}

export const workSettings = {
  ...{ verify: true, nameBytes: 32_768, finalizeSeconds: 300 },
  content: usualLimits,
};

export const streamsPerConnection = 16;

/** A gNOI service over a manager in memory. */
export interface World {
  readonly service: GnoiService;
  /** Those that the service starts with. */
  readonly settings: GnoiSettings;
  readonly endpoints: MemoryEndpoints;
  /** CAs that the device trusts beside the bundle. */
  readonly anchors: Certificate[];
  readonly users: MemoryUsers;
  readonly identity: ServerIdentity;
  readonly tools: OpensslAuthority;
  readonly log: readonly string[];
  readonly audit: readonly string[];
  /** PEM of the certificate that the service shows by itself. */
  readonly ownCertificate: string;
  /** A client that trusts what the service shows by itself, unless it is told otherwise. */
  client(options?: Partial<ClientOptions>): GnoiClient;
  /** Ends the service and starts it again. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(changes: Partial<GnoiSettings> = {}): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'gnoi-'));
  mkdirSync(join(directory, 'state'));
  const path = join(directory, 'gnoi.pem');
  const tools = opensslAuthority();
  const endpoints = new MemoryEndpoints(path);
  const users = new MemoryUsers();
  const anchors: Certificate[] = [];
  const own = makeCredential('localhost');
  const { lines, log } = recordedLog();
  const { audit, auditLines } = recordedAudit();
  const clients: GnoiClient[] = [];
  const settings: GnoiSettings = {
    ...{ address: '127.0.0.1', port: 0, directory: join(directory, 'state'), streams: 'strict' },
    tls: { profile: 'intermediate', ticketMilliseconds: 3_600_000 },
    work: workSettings,
    steps: { firstMessageMilliseconds: 60_000, signingMilliseconds: 600_000 },
    parkedMilliseconds: 300_000,
    listener: {
      ...{ connections: 50, connectionsPerAddress: 50 },
      ...{ handshakeMilliseconds: 10_000, sendMilliseconds: 120_000 },
    },
    ...{ drainMilliseconds: 500, messageBytes: 1_048_576, streamsPerConnection },
    ...changes,
  };
  const open = () =>
    openServerIdentity({
      ...{ path, maxBytes: 1_048_576, content: usualLimits, profile: settings.tls.profile },
      patienceMilliseconds: 0,
      ...{ makeSelfSigned: () => own, now: Date.now, log },
    });
  let identity = await open();
  const start = () =>
    startGnoiService({
      ...{ settings, identity, users, audit, log },
      store: edgeStore({ endpoints, anchors: () => anchors, log }),
      isBound: (id) => endpoints.bindings().some(({ endpoint }) => endpoint.name === id),
      hostName: () => 'bmc.example.com',
    });
  let service = await start();
  const stop = async () => {
    await service.close();
    await identity.close();
  };
  return {
    ...{ endpoints, anchors, settings, users, tools, log: lines, audit: auditLines },
    ownCertificate: own.certificate.pem,
    get service() {
      return service;
    },
    get identity() {
      return identity;
    },
    client(options = {}) {
      const client = new GnoiClient({
        port: service.port,
        trusts: own.certificate.pem,
        ...options,
      });
      clients.push(client);
      return client;
    },
    async restart() {
      await stop();
      identity = await open();
      service = await start();
    },
    async close() {
      for (const client of clients) client.close();
      await stop();
      tools.remove();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A certificate as it is sent. */
export function sent(pem: string) {
  return { type: CertificateType.CT_X509, certificate: Buffer.from(pem) };
}

/** The parameters of the vendor's sample. */
export const csrParams = {
  type: CertificateType.CT_X509,
  ...{ minKeySize: 2048, keyType: 1, commonName: 'localhost', country: 'US', state: 'CA' },
  ...{ city: 'Sunnyvale', organization: 'Acme', organizationalUnit: 'Testing' },
  ...{ ipAddress: '127.0.0.1', emailId: 'test@example.com' },
};

export const serverExtensions = [
  'basicConstraints=CA:FALSE',
  'subjectAltName=DNS:localhost,IP:127.0.0.1',
];
