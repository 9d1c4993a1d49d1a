import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameLookup } from '../../src/outbound/name-lookup.ts';
import type { BundleStatus } from '../../src/trust-bundle/bundle-status.ts';
import { type Publication, publishBundle } from '../../src/trust-bundle/publish.ts';
import { type BundleSettings, defaultBundleName } from '../../src/trust-bundle/settings.ts';
import type {
  BundleEvent,
  BundleUpdater,
  TrustBundle,
} from '../../src/trust-bundle/trust-bundle.ts';
import { startBundleUpdater } from '../../src/trust-bundle/updater.ts';
import type { Signer } from '../../src/x509/cms/sign.ts';
import { keyPurposes } from '../../src/x509/oids.ts';
import { MemoryEndpoints } from '../fakes/memory-endpoints.ts';
import {
  certificateOf,
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../fakes/openssl-authority.ts';
import { infoOf, newKey, quickCertificate } from '../fakes/quick-certificate.ts';
import { ManualClock } from './manual-clock.ts';

export const signerExtensions = [
  'basicConstraints=CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=codeSigning',
];

/** A self-signed CA, as PEM. */
export function makeCa(subject: string): string {
  const issuerKey = newKey();
  const info = infoOf(issuerKey);
  return quickCertificate({ subject, info, issuer: subject, issuerKey, isCa: true });
}

export function sha256Of(pem: string): string {
  return certificateOf(pem).fingerprint.toLowerCase();
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Who signs bundles; many worlds may share one. */
export interface Publisher {
  readonly authority: OpensslAuthority;
  readonly root: Issued;
  readonly intermediate: Issued;
  readonly signer: Issued;
}

export function makePublisher(): Publisher {
  const authority = opensslAuthority();
  const root = authority.issueCa({ subject: '/CN=Bundle Root' });
  const intermediate = authority.issueCa({ subject: '/CN=Bundle CA', issuer: root });
  const signer = authority.issue({
    ...{ subject: '/CN=Bundle Signer', issuer: intermediate, extensions: signerExtensions },
  });
  return { authority, root, intermediate, signer };
}

/** A publisher, its server, and a device whose clock stands still. */
export class BundleWorld {
  readonly directory = mkdtempSync(join(tmpdir(), 'bmc-bundle-'));
  readonly by: Publisher;
  readonly clock = new ManualClock(Date.now());
  readonly endpoints: MemoryEndpoints;
  /** What answers instead of the published file, by its name. */
  readonly answers = new Map<string, Answer>();
  /** What was asked for, in order. */
  requests: string[] = [];
  events: BundleEvent[] = [];
  log: string[] = [];
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #updater: BundleUpdater | undefined;
  #url = '';

  constructor(by: Publisher) {
    this.by = by;
    this.endpoints = new MemoryEndpoints(join(this.directory, 'service.pem'));
  }

  get published(): string {
    return join(this.directory, 'published');
  }

  get state(): string {
    return join(this.directory, 'state');
  }

  get url(): string {
    return this.#url;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/cacert`;
  }

  issueSigner(shape: Parameters<OpensslAuthority['issue']>[0] = {}): Issued {
    return this.by.authority.issue({
      ...{
        subject: '/CN=Bundle Signer',
        issuer: this.by.intermediate,
        extensions: signerExtensions,
      },
      ...shape,
    });
  }

  signerOf(by: Issued): Signer {
    return {
      certificate: by.certificate,
      key: createPrivateKey(by.key),
      intermediates: [this.by.intermediate.certificate],
    };
  }

  /** Publishes a version of these CAs. */
  publish(cas: readonly string[], more: Partial<Publication> = {}, now = this.clock.now()) {
    const source = join(this.directory, `${randomBytes(4).toString('hex')}.pem`);
    writeFileSync(source, cas.join(''));
    const publication = {
      ...{ name: defaultBundleName, sources: [source], directory: this.published },
      ...{ signer: this.signerOf(this.by.signer), validDays: 30, ...more },
    };
    return publishBundle(publication, new Date(now));
  }

  /** What the server has, to be put back or mixed. */
  files(): ReadonlyMap<string, Buffer> {
    const names = readdirSync(this.published);
    return new Map(names.map((name) => [name, readFileSync(join(this.published, name))]));
  }

  put(files: ReadonlyMap<string, Buffer>): void {
    for (const [name, content] of files) writeFileSync(join(this.published, name), content);
  }

  settings(more: Partial<BundleSettings> = {}): BundleSettings {
    return {
      ...{ name: defaultBundleName, enabled: false, intervalHours: 24, url: this.#url },
      ...{
        routingInstance: '',
        pinnedRoots: this.by.root.path,
        groups: [],
        loginGroups: ['logins'],
        jitterPercent: 10,
      },
      signerPurposes: [keyPurposes.CodeSigning],
      policy: { blocked: [], filterExpired: true, filterConstrained: true, maxRemovedPercent: 50 },
      limits: {
        ...{ maxBytes: 100_000, maxCertificates: 100, maxManifestBytes: 10_000 },
        ...{ idleMilliseconds: 20_000, deadlineMilliseconds: 60_000 },
      },
      ...{ warnAfterDays: 30, refuseAfterDays: 90 },
      ...more,
    };
  }

  async start(more: Partial<BundleSettings> = {}, random = 0.5): Promise<TrustBundle> {
    const line = (message: string, fields: object = {}) =>
      void this.log.push(`${message} ${JSON.stringify(fields)}`);
    this.#updater = await startBundleUpdater([this.settings(more)], this.state, {
      ...{ endpoints: this.endpoints, lookUp: nameLookup(), clock: this.clock },
      ...{ log: { info: line, warn: line, error: line }, random: () => random },
      buildTime: new Date('2026-01-01'),
    });
    this.bundle.subscribe((event) => this.events.push(event));
    return this.bundle;
  }

  get bundle(): TrustBundle {
    const found = this.#updater?.find(defaultBundleName);
    if (!found) throw new Error('there is no bundle');
    return found;
  }

  get updater(): BundleUpdater {
    if (!this.#updater) throw new Error('there is no updater');
    return this.#updater;
  }

  async stop(): Promise<void> {
    await this.#updater?.close();
    this.#updater = undefined;
  }

  /** Waits until the status is so. */
  async until(what: (status: BundleStatus) => boolean): Promise<BundleStatus> {
    for (;;) {
      const status = this.bundle.status();
      if (what(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Waits until nothing is under way. */
  settled(): Promise<BundleStatus> {
    const busy = ['checking', 'downloading', 'verifying', 'loading'];
    return this.until(({ state }) => !busy.includes(state));
  }

  /** The fingerprints of a group, in order. */
  members(group: string): readonly string[] | undefined {
    return this.endpoints
      .find({ type: 'authority', name: group })
      ?.certificates.map(({ certificate }) => certificate.fingerprint.toLowerCase())
      .sort();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const name = (request.url ?? '').replace(/^\/cacert\//, '');
    this.requests.push(name);
    const own = this.answers.get(name);
    if (own) {
      own(request, response);
      return;
    }
    try {
      const content = readFileSync(join(this.published, name));
      const etag = `"${createHash('sha256').update(content).digest('hex')}"`;
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
      else response.writeHead(200, { etag, 'content-length': content.length }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }
}
