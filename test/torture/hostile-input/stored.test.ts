import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { SetupError } from '../../../src/core/setup-error.ts';
import { AccessSettings } from '../../../src/identity/accounts/access-settings.ts';
import { matchesHash, type PasswordHash } from '../../../src/identity/accounts/password-hash.ts';
import { AccountCertificates } from '../../../src/identity/peer-certificates/account-certificates.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { PendingRequests, requestFiles } from '../../../src/manager/csr/pending-requests.ts';
import { openEventState } from '../../../src/redfish/events/event-state.ts';
import { SessionFile } from '../../../src/redfish/sessions/session-file.ts';
import { Sessions } from '../../../src/redfish/sessions/sessions.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { makeWorld } from '../../fakes/manager-world.ts';
import { samplePem } from '../../redfish/service.ts';
import { campaign } from './campaign.ts';
import { jsonMutators } from './mutate-json.ts';
import { pemMutators } from './mutate-pem.ts';
import { lineMutators, textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';
import { makeSamples } from './samples.ts';
import { shownEverywhere } from './what-is-shown.ts';

const directory = mkdtempSync(join(tmpdir(), 'hostile-stored-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'stored.json');
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const { pairs } = makeSamples();

const hash = 'a'.repeat(64);
const password = {
  ...{ algorithm: 'scrypt', cost: 16, blockSize: 8, parallelization: 1 },
  ...{ salt: randomBytes(16).toString('base64'), hash: randomBytes(32).toString('base64') },
};
const session = {
  ...{ tokenHash: hash, id: 'a'.repeat(16), userName: 'admin', address: '::1' },
  ...{ createdAt: 1_700_000_000_000, idleMilliseconds: 5, context: 'x', xsrfHash: hash },
};
const criteria = {
  ...{ registryPrefixes: [], excludedRegistryPrefixes: [], messageIds: ['Base.1.19.Success'] },
  ...{ excludedMessageIds: [], resourceTypes: [], severities: ['OK'], eventTypes: [] },
  ...{ originResources: ['/redfish/v1'], subordinateResources: true },
};
const subscription = {
  ...{ id: '1', owner: 'admin', destination: 'https://192.0.2.1/', context: '', criteria },
  ...{ verifyCertificate: true, retryPolicy: 'RetryForever', headers: [], state: 'active' },
};
type Stored = { readonly accounts: readonly { readonly password: PasswordHash }[] };

const samples = [
  {
    accounts: [
      { userName: 'admin', role: 'Administrator', password, passwordStamp: 'b'.repeat(32) },
    ],
    renames: [{ serial: 1, from: 'root', to: 'admin' }],
    policy: { minPasswordLength: 9, lockoutResetEnabled: true },
  },
  {
    ...{ basicAuth: 'Enabled', sessionSeconds: 60 },
    clientCertificates: { enabled: true, respond: false, mapping: 'CommonName' },
  },
  { certificates: [{ userName: 'admin', pem: samplePem }] },
  { writtenAt: 1_700_000_000_000, sessions: [session] },
  { epoch: 7, enabled: true, certificates: { a: { health: 'OK' } }, subscriptions: [subscription] },
];

/** Each kind of file with who reads it, and what is then made of its content. */
const readers: readonly (() => Promise<string>)[] = [
  async () => {
    const accounts = accountsAt(path);
    const stored: Stored = JSON.parse(readFileSync(path, 'utf8'));
    const cheap = stored.accounts.filter(
      ({ password: { cost, blockSize } }) => cost * blockSize < 4096,
    );
    for (const one of cheap) assert.equal(await matchesHash('wrong', one.password), false);
    return `accounts ${accounts.users.length}`;
  },
  async () => {
    const { policy, clientCertificates } = new AccessSettings(path, {} as never);
    return JSON.stringify({ policy, clientCertificates });
  },
  async () => {
    const limits = { perAccount: 2, accountCertificateBytes: 4096, content: usualLimits };
    const list = new AccountCertificates(path, limits).of('admin');
    for (const { certificate } of list) shownEverywhere(certificate);
    return `certificates ${list.length}`;
  },
  async () => {
    const limits = { sessions: 5, perUser: 3, idleMilliseconds: () => 1e300 };
    const sessions = new Sessions(limits);
    const outcome = new SessionFile(path, sessions).load();
    for (const { createdAt } of sessions.list()) new Date(createdAt).toISOString();
    return `sessions ${outcome}`;
  },
  async () => {
    const { value: state } = await openEventState(path, { log: silent, now: 1_700_000_000_000 });
    assert.ok(Number.isSafeInteger(state.epoch), `the epoch ${state.epoch}`);
    return `events ${state.subscriptions.length}`;
  },
];

it('a damaged file of the Redfish service is refused in a sentence, or taken for what it says', async () => {
  await campaign({
    name: 'stored file',
    corpus: samples.flatMap((sample, n) => [
      Buffer.from(`${n}${JSON.stringify(sample)}`),
      Buffer.from(`${n}${JSON.stringify(sample, null, 2)}`),
    ]),
    mutators: [...jsonMutators, ...jsonMutators, ...textMutators, ...byteMutators].map(
      (change) => (input, dice, other) => {
        const changed = change(input.subarray(1), dice, other.subarray(1));
        return Buffer.concat([input.subarray(0, 1), changed]);
      },
    ),
    isRefusal: (error) => error instanceof SetupError,
    attempt(input) {
      writeFileSync(path, input.subarray(1));
      const read = readers[Number(String.fromCharCode(input[0] ?? 0))];
      assert.ok(read, 'each sample has its reader');
      return read();
    },
  });
});

it('damaged files of a pending request hide it alone, and keep none of the others from being listed', async () => {
  const pending = new PendingRequests(join(directory, 'requests'), 5);
  const names = Object.values(requestFiles);
  const contents = [
    pairs[0] ?? Buffer.alloc(0),
    Buffer.from('-----BEGIN X-----\n'),
    Buffer.from('2026-11-21T00:00:00.000Z\n'),
  ];
  const good = 'b'.repeat(64);
  await campaign({
    name: 'pending request',
    corpus: contents.map((content, n) => Buffer.concat([Buffer.of(n), content])),
    mutators: [...pemMutators, ...lineMutators, ...textMutators],
    async attempt(input) {
      for (const id of [hash, good]) {
        const place = join(directory, 'requests', id);
        mkdirSync(place, { recursive: true, mode: 0o700 });
        for (const [n, name] of names.entries())
          writeFileSync(join(place, name), contents[n] ?? '');
      }
      const name = names[(input[0] ?? 0) % names.length] ?? '';
      writeFileSync(join(directory, 'requests', hash, name), input.subarray(1));
      const rows = await pending.list();
      assert.ok(rows.some(({ id }) => id === good));
      for (const { created } of rows) BigInt(created.getTime());
      await pending.prune();
      assert.ok((await pending.list()).some(({ id }) => id === good));
      const key = await pending.find(hash);
      return `${rows.length} ${key?.asymmetricKeyType}`;
    },
  });
});

it('a damaged file of a server is put aside whole, and the server is never without a certificate', async () => {
  const world = makeWorld();
  after(() => world.remove());
  const place = join(world.directory, 'server.pem');
  await campaign({
    name: 'stored pair',
    corpus: pairs.slice(0, 3),
    mutators: [...pemMutators, ...lineMutators, ...textMutators],
    async attempt(input) {
      rmSync(world.directory, { recursive: true, force: true });
      mkdirSync(world.directory, { mode: 0o700 });
      writeFileSync(place, input);
      const definition = { type: 'server', name: 'https', path: place, reload: [] } as const;
      const endpoint = new CredentialEndpoint(definition, world.dependencies);
      await endpoint.start();
      const [installed] = endpoint.list();
      const aside = world.logged
        .splice(0)
        .some(({ message }) => message === 'stored file put aside');
      endpoint.stop();
      assert.ok(installed, 'it has no certificate');
      return `${aside} ${shownEverywhere(installed.certificate)}`;
    },
  });
});
