import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { StagedReplacements } from '../../../src/manager/replacement/staged-replacements.ts';
import { publicKeyHash, publicKeyInfo } from '../../../src/x509/keys.ts';
import { csrParameters, makeWorld, type World } from '../../fakes/manager-world.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { limits } from '../../fakes/replacement-device.ts';

const tools = opensslAuthority();
after(() => tools.remove());
const ca = tools.issueCa();
const first = tools.issue({ issuer: ca, subject: '/CN=first' });
const secret = tools.issue({ issuer: ca, subject: '/CN=secret' });

/** Somebody else can write the directory of the endpoint, and lays links to what only root can read. */
describe('a link beside the file of an endpoint', () => {
  let world: World;
  let path: string;
  let elsewhere: string;
  let endpoint: CredentialEndpoint;

  beforeEach(() => {
    world = makeWorld();
    path = join(world.directory, 'https', 'server.pem');
    elsewhere = join(world.directory, 'elsewhere');
    mkdirSync(dirname(path));
    mkdirSync(elsewhere);
    writeFileSync(path, first.key + first.pem);
    writeFileSync(join(elsewhere, 'pair.pem'), secret.key + secret.pem, { mode: 0o600 });
    writeFileSync(join(elsewhere, 'key.pem'), secret.key, { mode: 0o600 });
    endpoint = new CredentialEndpoint(
      { type: 'server', name: 'https', path, reload: [] },
      world.dependencies,
    );
  });
  afterEach(() => {
    endpoint.stop();
    world.remove();
  });

  const journals: Readonly<Record<string, () => void>> = {
    'the journal of a staged replacement': () => {
      mkdirSync(join(world.directory, 'journal'));
      renameSync(elsewhere, join(world.directory, 'journal', 'server.https'));
      symlinkSync(join(world.directory, 'journal'), `${path}.replacement`);
    },
    'a directory in it': () => {
      mkdirSync(`${path}.replacement`);
      symlinkSync(elsewhere, join(`${path}.replacement`, 'server.https'));
    },
    'a copy in it': () => {
      mkdirSync(join(`${path}.replacement`, 'server.https'), { recursive: true });
      symlinkSync(
        join(elsewhere, 'pair.pem'),
        join(`${path}.replacement`, 'server.https', 'pair.pem'),
      );
    },
  };
  for (const [what, lay] of Object.entries(journals)) {
    it(`in place of ${what} brings nothing into service`, async () => {
      lay();
      assert.equal(
        await new StagedReplacements(world.dependencies.log, () => limits).recover([endpoint]),
        true,
      );
      assert.equal(readFileSync(path, 'utf8'), first.key + first.pem);
      assert.ok(!existsSync(`${path}.replacement`), 'the next start does not try it again');
    });
  }

  const pending = () =>
    join(`${path}.requests`, publicKeyHash(publicKeyInfo(createPublicKey(secret.key))));
  const keys: Readonly<Record<string, () => void>> = {
    'a key that waits': () => {
      mkdirSync(pending(), { recursive: true });
      symlinkSync(join(elsewhere, 'key.pem'), join(pending(), 'key.pem'));
      writeFileSync(join(pending(), 'created'), '2026-06-01T00:00:00.000Z 1');
    },
    'the directory of a key that waits': () => {
      mkdirSync(dirname(pending()), { recursive: true });
      writeFileSync(join(elsewhere, 'created'), '2026-06-01T00:00:00.000Z 1');
      symlinkSync(elsewhere, pending());
    },
  };
  for (const [what, lay] of Object.entries(keys)) {
    it(`in place of ${what} lends no key to a certificate`, async () => {
      lay();
      await endpoint.start();
      await assert.rejects(
        endpoint.replace(endpoint.list()[0]?.id ?? '', secret.pem),
        /the key of the request cannot be read|no request waits for one/,
      );
      assert.ok(!readFileSync(path, 'utf8').includes(secret.key.slice(30, 90)));
    });
  }

  it('in place of a CSR is not shown as the CSR', async () => {
    await endpoint.start();
    const csr = await endpoint.requests.make(csrParameters({ CommonName: 'bmc' }));
    const [id = ''] = readdirSync(`${path}.requests`);
    const file = join(`${path}.requests`, id, 'request.pem');
    assert.equal((await endpoint.requests.outstanding())[0]?.pem, csr);
    rmSync(file);
    symlinkSync(join(elsewhere, 'pair.pem'), file);
    for (const { pem } of await endpoint.requests.outstanding()) assert.equal(pem, undefined);
  });
});
