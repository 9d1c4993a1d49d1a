import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { isGenerated } from '../../../src/manager/credential/generated-certificate.ts';
import { makeRequestFiles } from '../../../src/manager/csr/make-request-files.ts';
import { PendingRequests } from '../../../src/manager/csr/pending-requests.ts';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import type {
  EndpointDependencies,
  WatchTimes,
} from '../../../src/manager/endpoint-dependencies.ts';
import { endpointSet } from '../../../src/manager/endpoint-set.ts';
import { StagedReplacements } from '../../../src/manager/replacement/staged-replacements.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { usualServingProfile } from '../../../src/tls/profile.ts';
import { publicKeyHash, publicKeyInfo } from '../../../src/x509/keys.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import type { Device, Place, State } from './scene.ts';

/** Fixed, so that no certificate of the tests ever ends. */
const now = Date.UTC(2026, 5, 1);
const never = 2 ** 31 - 1;
const owner = ':1.7';

/** The three endpoints of OpenBMC, as the daemon opens them. */
export interface ManagerDevice extends Device {
  readonly server: Endpoint;
  readonly client: Endpoint;
  readonly truststore: Endpoint;
  readonly replacements: StagedReplacements;
  readonly owner: string;
  maintain(): Promise<void>;
}

export const managerPaths = {
  server: 'https/server.pem',
  client: 'ldap/cert.pem',
  truststore: 'authority',
} as const;

/**
 * @param watch how soon it looks at what others change; without it, it never does
 * @param days how many have gone by since the first start
 */
export async function openManager(
  { directory }: Place,
  watch: WatchTimes = { settle: never, grace: never },
  days = 0,
): Promise<ManagerDevice> {
  const around = { ...dependencies, watch, now: () => now + days * 86_400_000 };
  const at = (type: EndpointDefinition['type'], name: string, path: string) => ({
    type,
    name,
    path: join(directory, path),
    reload: [],
    // Whoever reads the file through his group must still be able to after the cut
    ...(type === 'server' && { group: process.getgid?.() ?? 0 }),
  });
  const server = new CredentialEndpoint(at('server', 'https', managerPaths.server), around);
  const client = new CredentialEndpoint(at('client', 'ldap', managerPaths.client), around);
  const truststore = new AuthorityEndpoint(
    at('authority', 'truststore', managerPaths.truststore),
    around,
  );
  const replacements = new StagedReplacements(log, () => ({
    defaultSeconds: 1000,
    maxSeconds: 1000,
  }));
  const endpoints = [server, client, truststore];
  const all = endpointSet(endpoints, replacements);
  await all.start();
  return {
    server,
    client,
    truststore,
    replacements,
    owner,
    async state() {
      return {
        server: pairState(server),
        client: pairState(client),
        trust: trustState(truststore),
        requests: await requestState(endpoints),
        refused: refusedFiles(join(directory, dirname(managerPaths.server))),
      };
    },
    maintain: () => all.maintain(),
    settle: () => replacements.stop(),
    async newNumber() {
      const { id } = await truststore.install(probe);
      await truststore.delete(id);
      return Number(id);
    },
    async close() {
      all.stop();
    },
  };
}

/** A new self-signed certificate is as good as another one, as long as its key fits. */
export function anyGenerated(state: State): State {
  const server = String(state.server).replace(/^generated .*? mode/, 'generated mode');
  return { ...state, server };
}

/** An authority that the scenes do not use otherwise. */
let probe = '';

export function useProbe(pem: string): void {
  probe = pem;
}

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const dependencies: Omit<EndpointDependencies, 'watch' | 'now'> = {
  log,
  limits: {
    uploadBytes: 65_536,
    chain: 10,
    pendingRequests: 3,
    authorities: 10,
    queuedRequests: 4,
    content: usualLimits,
  },
  checks: { allowExpired: true, requireCa: true, maxRsaBits: 8192 },
  serving: usualServingProfile(),
  selfSigned: {
    validDays: 397,
    renewBeforeDays: 30,
    curve: 'prime256v1',
    organization: 'Test',
  },
  expiryThresholds: [30],
  identity: () => ({ hostName: 'bmc.example.com', addresses: ['192.0.2.7'] }),
  csrWorker: makeRequestFiles,
  reload: async () => undefined,
  oweReload: () => undefined,
};

function pairState(endpoint: Endpoint): string {
  const { path } = endpoint.definition;
  const [installed] = endpoint.list();
  if (!installed) {
    assert.ok(!existsSync(path), 'a file is there and no certificate in service');
    return 'none';
  }
  const text = readFileSync(path, 'utf8');
  const { certificate } = installed;
  // What a service does with the file: OpenSSL refuses a key that is not that of the certificate
  createSecureContext({ key: text, cert: text });
  const served = new X509Certificate(text);
  assert.equal(served.fingerprint256.replaceAll(':', ''), certificate.fingerprint.toUpperCase());
  assert.ok(served.checkPrivateKey(createPrivateKey(text)));
  const mode = (statSync(path).mode & 0o777).toString(8);
  const enter = (statSync(dirname(path)).mode & 0o777).toString(8);
  const kind = isGenerated(certificate) ? 'generated' : 'installed';
  return `${kind} ${certificate.fingerprint.slice(0, 16)} mode ${mode} in ${enter}`;
}

function trustState(truststore: Endpoint): readonly string[] {
  const { path } = truststore.definition;
  const list = truststore.list();
  assert.ok(lstatSync(path).isSymbolicLink());
  for (const directory of [path, `${path}.generations`])
    assert.equal(statSync(directory).mode & 0o777, 0o755, 'nobody else may enter');
  const names = readdirSync(path).filter((name) => /^\d+\.pem$/.test(name));
  assert.deepEqual(names.sort(), list.map(({ id }) => `${id}.pem`).sort());
  for (const { id, certificate } of list) {
    const text = readFileSync(join(path, `${id}.pem`), 'utf8');
    assert.equal(new X509Certificate(text).raw.equals(certificate.der), true);
    const links = readdirSync(path).filter((name) =>
      name.startsWith(`${certificate.subjectHash}.`),
    );
    const targets = links.map((name) => readFileSync(join(path, name), 'utf8'));
    assert.ok(targets.includes(text), 'OpenSSL does not find an authority');
    // It looks no further than to the first number that is not there
    const numbers = links.map((name) => Number(name.split('.')[1])).sort((a, b) => a - b);
    assert.deepEqual(numbers, [...numbers.keys()], 'OpenSSL does not get to every authority');
  }
  const bundle = join(path, 'trust_bundle');
  const together = list.map(({ certificate }) => certificate.pem).join('');
  assert.equal(existsSync(bundle) ? readFileSync(bundle, 'utf8') : '', together);
  return list.map(({ id, certificate }) => `${id} ${certificate.fingerprint.slice(0, 16)}`);
}

/** Whatever could not be served is nobody's to throw away. */
function refusedFiles(directory: string): readonly string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const refused = names.filter((name) => name.endsWith('.refused'));
  return [...new Set(refused.map((name) => readFileSync(join(directory, name), 'utf8')))];
}

async function requestState(endpoints: readonly Endpoint[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { definition, requests } of endpoints) {
    const directory = `${definition.path}.requests`;
    const names = existsSync(directory) ? readdirSync(directory) : [];
    // Those that are answered stay for a renewal: their keys count too
    for (const name of names.filter((one) => /^[0-9a-f]{64}$/.test(one))) {
      const file = join(directory, name, 'key.pem');
      if (!existsSync(file)) continue;
      const key = createPrivateKey(readFileSync(file));
      assert.equal(publicKeyHash(publicKeyInfo(createPublicKey(key))), name);
      found.push(`${definition.name} key ${name.slice(0, 16)}`);
    }
    // A start finds them in this order, which says who goes first
    const stored = await new PendingRequests(directory, dependencies.limits.pendingRequests).list();
    for (const [at, { id, pem = '' }] of stored.entries()) {
      const text = createHash('sha256').update(pem).digest('hex').slice(0, 16);
      found.push(`${definition.name} stored ${at} key ${id.slice(0, 16)} text ${text}`);
    }
    for (const { id, pem } of await requests.outstanding()) {
      assert.match(pem ?? '', /BEGIN CERTIFICATE REQUEST/);
      found.push(`${definition.name} waits ${id.slice(0, 16)}`);
    }
  }
  return found.sort();
}
