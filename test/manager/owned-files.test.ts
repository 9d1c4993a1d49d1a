import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../src/manager/endpoint-definition.ts';
import { StagedReplacements } from '../../src/manager/replacement/staged-replacements.ts';
import { csrParameters, makeWorld, type World } from '../fakes/manager-world.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { limits, owner } from '../fakes/replacement-device.ts';

const skip = process.getuid?.() !== 0 && 'only root gives files away';
const stranger = 1000;
const group = 4711;
const owned = 'stored key made the property of the manager';

const tools = opensslAuthority();
after(() => tools.remove());
const ca = tools.issueCa();
const first = tools.issue({ issuer: ca, subject: '/CN=first' });
const next = tools.issue({ issuer: ca, subject: '/CN=next' });

/** The manager runs as root; a backup, or another user, left what it finds at its start. */
describe('a key that is not the manager alone its own', { skip }, () => {
  let world: World;
  let definition: EndpointDefinition;
  let path: string;
  let elsewhere: string;
  const endpoints: CredentialEndpoint[] = [];

  beforeEach(() => {
    world = makeWorld();
    path = join(world.directory, 'https', 'server.pem');
    elsewhere = join(world.directory, 'elsewhere.pem');
    definition = { type: 'server', name: 'https', path, group, reload: [] };
    mkdirSync(dirname(path));
    writeFileSync(path, first.key + first.pem, { mode: 0o640 });
    chownSync(path, 0, group);
  });
  afterEach(() => {
    for (const endpoint of endpoints.splice(0)) endpoint.stop();
    world.remove();
  });

  const start = async () => {
    const endpoint = new CredentialEndpoint(definition, world.dependencies);
    endpoints.push(endpoint);
    await endpoint.start();
    return endpoint;
  };
  const told = () => world.logged.filter(({ message }) => message === owned);
  const rightsOf = (file: string) => {
    const { uid, gid, mode, nlink } = lstatSync(file);
    return { uid, gid, mode: (mode & 0o7777).toString(8), nlink, isFile: lstatSync(file).isFile() };
  };
  const moved = (uid: number) => {
    renameSync(path, elsewhere);
    chownSync(elsewhere, stranger, stranger);
    symlinkSync(elsewhere, path);
    lchownSync(path, uid, uid);
  };

  const faults: readonly { what: string; was: RegExp; spoil: () => void }[] = [
    { what: 'is of another user', was: /owner 1000/, spoil: () => chownSync(path, 1000, 1000) },
    {
      what: 'has a hard link of another user',
      was: /2 hard links/,
      spoil: () => linkSync(path, elsewhere),
    },
    { what: 'can be written by all', was: /mode 0666/, spoil: () => chmodSync(path, 0o666) },
    { what: 'can be read by another group', was: /group 77/, spoil: () => chownSync(path, 0, 77) },
    { what: 'is a link of another user', was: /link of owner/, spoil: () => moved(stranger) },
    { what: 'is behind a link to a file of another user', was: /1000/, spoil: () => moved(0) },
  ];
  for (const { what, was, spoil } of faults) {
    it(`${what} is written anew before it is served, and said once`, async () => {
      spoil();
      const before = statSync(path);
      const endpoint = await start();
      const rights = { uid: 0, gid: group, mode: '640', nlink: 1, isFile: true };
      assert.deepEqual(rightsOf(path), rights);
      assert.notEqual(statSync(path).ino, before.ino);
      assert.equal(endpoint.list()[0]?.certificate.pem, first.pem);
      assert.match(readFileSync(path, 'utf8'), /PRIVATE KEY[\s\S]*BEGIN CERTIFICATE/);
      if (elsewhere in listed(world.directory)) {
        const { uid, mode } = statSync(elsewhere);
        assert.deepEqual([uid, mode], [before.uid, before.mode], 'what others have is theirs');
      }
      await endpoint.maintain();
      await start();
      assert.equal(told().length, 1);
      assert.match(String(told()[0]?.fields.was), was);
    });
  }

  it('is said to be the manager alone its own only when it was not', async () => {
    await start();
    assert.deepEqual(told(), []);
  });

  it('is written anew while the manager runs as well', async () => {
    const endpoint = await start();
    chownSync(path, stranger, stranger);
    await endpoint.maintain();
    assert.equal(statSync(path).uid, 0);
    assert.equal(told().length, 1);
  });

  const secrets = { 'a hard link': linkSync, 'a link': symlinkSync };
  for (const [what, make] of Object.entries(secrets)) {
    it(`opens no file of root to the group when ${what} to one is in its place`, async () => {
      writeFileSync(elsewhere, 'root:secret', { mode: 0o600 });
      renameSync(path, `${path}.old`);
      make(elsewhere, path);
      lchownSync(path, what === 'a link' ? stranger : 0, 0);
      await start();
      const { uid, gid, mode } = rightsOf(elsewhere);
      assert.deepEqual([uid, gid, mode], [0, 0, '600']);
      for (const [file, text] of Object.entries(listed(world.directory)))
        if (text.includes('secret')) assert.equal(rightsOf(file).mode, '600', file);
    });
  }

  it('is not taken from another file of root by a link of another user', async () => {
    writeFileSync(elsewhere, next.key + next.pem, { mode: 0o600 });
    renameSync(path, `${path}.old`);
    symlinkSync(elsewhere, path);
    lchownSync(path, stranger, stranger);
    const endpoint = await start();
    assert.notEqual(endpoint.list()[0]?.certificate.pem, next.pem);
    assert.ok(!readFileSync(path, 'utf8').includes(next.key.slice(30, 90)));
    const said = world.logged.find(({ fields }) => fields.reason?.toString().includes('a link of'));
    assert.match(String(said?.fields.reason), /link of the user 1000 leads to the file of another/);
    assert.equal(rightsOf(elsewhere).mode, '600');
  });

  it('and waits for its certificate becomes its own with its directory, and goes on waiting', async () => {
    const csr = await (await start()).requests.make(csrParameters({ CommonName: 'waits' }));
    const requests = `${path}.requests`;
    for (const one of ['', ...readdirSync(requests, { recursive: true }).map(String)]) {
      chownSync(join(requests, one), stranger, stranger);
      chmodSync(join(requests, one), statSync(join(requests, one)).isFile() ? 0o644 : 0o755);
    }
    const again = await start();
    const files = readdirSync(requests, { recursive: true }).map((one) => join(requests, `${one}`));
    for (const file of [requests, ...files]) {
      const { uid, mode } = rightsOf(file);
      assert.deepEqual([uid, mode], [0, statSync(file).isFile() ? '600' : '700'], file);
    }
    assert.equal((await again.requests.outstanding())[0]?.pem, csr);
    const said = told().length;
    assert.equal(said, files.length + 1);
    await start();
    assert.equal(told().length, said);
  });

  it('and lies in the journal of a staged replacement becomes its own before it is brought back', async () => {
    const { log } = world.dependencies;
    const running = await start();
    const replacements = new StagedReplacements(log, () => limits);
    const replacement = await replacements.stage(owner, [
      { endpoint: running, content: next.key + next.pem },
    ]);
    await replacements.activate(owner, replacement);
    const journal = `${path}.replacement`;
    const files = readdirSync(journal, { recursive: true }).map((one) => join(journal, `${one}`));
    for (const file of [journal, ...files]) chownSync(file, stranger, stranger);
    const again = new CredentialEndpoint(definition, world.dependencies);
    endpoints.push(again);
    await new StagedReplacements(log, () => limits).recover([again]);
    await again.start();
    assert.equal(again.list()[0]?.certificate.pem, first.pem);
    assert.deepEqual(
      told()
        .map(({ fields }) => fields.path)
        .sort(),
      [journal, ...files].sort(),
    );
    assert.equal(statSync(path).uid, 0);
  });
});

function listed(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((file) => [file, readFileSync(file, 'utf8')]));
}
