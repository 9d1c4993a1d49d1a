import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { makeWorld, type World } from '../../fakes/manager-world.ts';
import { keyKinds, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const ca = tools.issueCa();
const served = tools.issue({ issuer: ca, subject: '/CN=served' });

/** A key and its request, as the last GenerateCSR of upstream left them. */
function requested(kind: readonly string[]): { key: string; request: string } {
  const key = openssl(['genpkey', ...kind]);
  const path = tools.write('requested.key', key);
  return { key, request: openssl(['req', '-new', '-key', path, '-subj', '/CN=requested']) };
}

let world: World;
beforeEach(() => {
  world = makeWorld();
});
afterEach(() => world.remove());

describe('what phosphor-certificate-manager left of a server', () => {
  let path: string;
  const at = (name: string) => join(dirname(path), name);
  const start = async () => {
    const endpoint = new CredentialEndpoint(
      { type: 'server', name: 'https', path, reload: [] },
      world.dependencies,
    );
    await endpoint.start();
    return endpoint;
  };

  beforeEach(() => {
    path = join(world.directory, 'https', 'server.pem');
    mkdirSync(dirname(path), { mode: 0o700 });
    // Upstream keeps the mode of the upload, and any order of key and certificate
    writeFileSync(path, served.pem + served.key, { mode: 0o644 });
  });

  it('goes on to be served, and its key is nobody else’s any more', async () => {
    const endpoint = await start();
    assert.equal(endpoint.list()[0]?.certificate.pem, served.pem);
    assert.equal(readFileSync(path, 'utf8'), served.pem + served.key);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  for (const [kind, algorithm] of [
    ['EC', keyKinds.ec('secp224r1')],
    ['RSA', keyKinds.rsa(2048)],
  ] as const) {
    it(`has its ${kind} request answered after the change of managers`, async () => {
      const { key, request } = requested(algorithm);
      writeFileSync(at('privkey.pem'), key, { mode: 0o660 });
      writeFileSync(at('domain.csr'), request);
      const endpoint = await start();
      assert.deepEqual(
        (await endpoint.requests.outstanding()).map(({ pem }) => pem),
        [openssl(['req'], request)],
      );
      assert.deepEqual(readdirSync(dirname(path)).sort(), ['server.pem', 'server.pem.requests']);
      if (kind === 'EC') return;
      const certificate = tools.sign(request, ca);
      await endpoint.replace('1', certificate);
      assert.equal(endpoint.list()[0]?.certificate.pem, certificate);
      assert.match(readFileSync(path, 'utf8'), /BEGIN PRIVATE KEY/);
    });
  }

  it('has an earlier RSA request answered by the one key for all of them', async () => {
    const rsa = requested(keyKinds.rsa(2048));
    writeFileSync(at('.rsaprivkey.pem'), rsa.key);
    const ec = requested(keyKinds.p256);
    writeFileSync(at('privkey.pem'), ec.key);
    writeFileSync(at('domain.csr'), ec.request);
    const endpoint = await start();
    await endpoint.replace('1', tools.sign(rsa.request, ca));
    await endpoint.replace('1', tools.sign(ec.request, ca));
    assert.ok(!existsSync(at('.rsaprivkey.pem')) && !existsSync(at('domain.csr')));
  });

  it('keeps what cannot be taken over, and says so', async () => {
    writeFileSync(at('privkey.pem'), 'garbage');
    writeFileSync(at('domain.csr'), requested(keyKinds.p256).request);
    writeFileSync(at('notes.txt'), 'notes');
    await start();
    assert.equal(readFileSync(at('privkey.pem'), 'utf8'), 'garbage');
    assert.ok(existsSync(at('domain.csr')) && existsSync(at('notes.txt')));
    assert.ok(world.logged.some(({ message }) => /cannot be taken over/.test(message)));
    assert.ok(!JSON.stringify(world.logged).includes('garbage'));
  });

  it('is taken over to its end by the next start, wherever it was cut short', async () => {
    const { key, request } = requested(keyKinds.p256);
    const moved = '.domain.csr.0123456789ab.new';
    const cuts: readonly Readonly<Record<string, string>>[] = [
      { 'privkey.pem': key, [moved]: request },
      { '.privkey.pem.0123456789ab.new': key, [moved]: request },
      { [moved]: request },
    ];
    writeFileSync(at('privkey.pem'), key);
    writeFileSync(at('domain.csr'), request);
    await start();
    for (const files of cuts) {
      for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
      await start();
      assert.deepEqual(readdirSync(dirname(path)).sort(), ['server.pem', 'server.pem.requests']);
      assert.equal(readdirSync(`${path}.requests`).length, 1);
    }
  });

  it('was nothing where the files of its names are those of others', async () => {
    const key = requested(keyKinds.p256).key;
    writeFileSync(at('privkey.pem'), key);
    writeFileSync(at('domain.csr'), requested(keyKinds.p256).request);
    const other = tools.issue({ issuer: ca });
    writeFileSync(at('.privkey.pem.0123456789ab.new'), other.key + other.pem);
    for (const round of ['first', 'second']) {
      await start();
      const names = ['.privkey.pem.0123456789ab.new', 'domain.csr', 'privkey.pem', 'server.pem'];
      assert.deepEqual(readdirSync(dirname(path)).sort(), names, round);
    }
    assert.equal(readFileSync(at('privkey.pem'), 'utf8'), key);
  });

  it('was nothing where an endpoint has a file of its names', async () => {
    const pair = tools.issue({ issuer: ca, subject: '/CN=operator' });
    const mine = path;
    path = at('privkey.pem');
    const first = await start();
    await first.replace('1', pair.key + pair.pem);
    writeFileSync(at('pair.key'), pair.key);
    const csr = openssl(['req', '-new', '-key', at('pair.key'), '-subj', '/CN=operator']);
    writeFileSync(at('domain.csr'), csr);
    for (const one of [mine, path, path]) {
      path = one;
      await start();
      assert.equal(readFileSync(at('privkey.pem'), 'utf8'), pair.key + pair.pem);
      assert.ok(existsSync(at('domain.csr')));
    }
  });

  it('has the key of a certificate without one, whoever else needs it beside', async () => {
    const split = tools.issue({ issuer: ca, subject: '/CN=split' });
    writeFileSync(path, split.pem);
    writeFileSync(at('privkey.pem'), split.key);
    for (const round of ['first', 'second']) {
      const endpoint = await start();
      assert.equal(endpoint.list()[0]?.certificate.pem, split.pem, round);
      assert.equal(readFileSync(at('privkey.pem'), 'utf8'), split.key);
    }
    assert.match(readFileSync(path, 'utf8'), /PRIVATE KEY/);
  });

  it('is taken over once: a second start changes nothing', async () => {
    const { key, request } = requested(keyKinds.p256);
    writeFileSync(at('privkey.pem'), key);
    writeFileSync(at('domain.csr'), request);
    await start();
    const before = readdirSync(`${path}.requests`);
    const endpoint = await start();
    assert.deepEqual(readdirSync(`${path}.requests`), before);
    await endpoint.replace('1', tools.sign(request, ca));
  });
});

describe('what phosphor-certificate-manager left of a truststore', () => {
  const [one, two, three] = ['One', 'Two', 'Three'].map((name) =>
    tools.issueCa({ subject: `/CN=${name}` }),
  );
  if (!one || !two || !three) throw new TypeError('three CAs');
  let path: string;
  const start = async () => {
    const endpoint = new AuthorityEndpoint(
      { type: 'authority', name: 'truststore', path, reload: [] },
      world.dependencies,
    );
    await endpoint.start();
    return endpoint;
  };
  const put = (files: Readonly<Record<string, string>>) => {
    mkdirSync(path, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    chmodSync(path, 0o700);
  };
  const listed = (endpoint: AuthorityEndpoint) =>
    endpoint.list().map(({ certificate }) => certificate.pem);

  beforeEach(() => {
    path = join(world.directory, 'certs', 'authority');
  });

  it('is its files, and not the bundle that still has what was deleted', async () => {
    put({ fileAb12Cd: one.pem, filezz99xx: three.pem, trust_bundle: one.pem + two.pem });
    symlinkSync(join(path, 'fileAb12Cd'), join(path, `${one.certificate.subjectHash}.0`));
    assert.deepEqual(listed(await start()), [one.pem, three.pem]);
    assert.equal(readFileSync(join(path, 'trust_bundle'), 'utf8'), one.pem + three.pem);
  });

  it('is the whole bundle where there is nothing else, as after a ReplaceAll that failed', async () => {
    put({ trust_bundle: `words\n${two.pem}${one.pem}${two.pem}` });
    assert.deepEqual(listed(await start()), [two.pem, one.pem]);
  });

  it('is more than the limit when it was', async () => {
    const many = Array.from({ length: 12 }, (_, at) => tools.issueCa({ subject: `/CN=${at}` }));
    put(Object.fromEntries(many.map(({ pem }, at) => [`file${at}`, pem])));
    const endpoint = await start();
    assert.equal(endpoint.list().length, 12);
    await assert.rejects(endpoint.install(one.pem), { code: 'limit-reached' });
  });

  it('is kept whole beside, with what is no certificate', async () => {
    put({ fileAb12Cd: one.pem, notes: 'notes', half: '-----BEGIN CERTIFICATE-----\nMII' });
    await start();
    const aside = readdirSync(`${path}.taken-over`).sort();
    assert.deepEqual(aside, ['fileAb12Cd', 'half', 'notes']);
  });

  describe('before there was a directory', () => {
    const rootCa = () => join(dirname(path), 'Root-CA.pem');
    beforeEach(() => mkdirSync(dirname(path), { recursive: true }));

    it('is installed from Root-CA.pem, which goes', async () => {
      writeFileSync(rootCa(), one.pem);
      const endpoint = await start();
      assert.deepEqual(listed(endpoint), [one.pem]);
      assert.ok(!existsSync(rootCa()));
    });

    it('joins what is there', async () => {
      put({ fileAb12Cd: one.pem });
      writeFileSync(rootCa(), two.pem);
      assert.deepEqual(listed(await start()), [one.pem, two.pem]);
    });

    it('is not there twice', async () => {
      put({ fileAb12Cd: one.pem });
      writeFileSync(rootCa(), one.pem);
      assert.deepEqual(listed(await start()), [one.pem]);
      assert.ok(!existsSync(rootCa()));
    });

    it('stays where it is until its removal lasts, so that no deletion is undone', async () => {
      writeFileSync(rootCa(), one.pem);
      const handle = await open(dirname(path), 'r');
      const prototype: { sync(this: FileHandle): Promise<void> } = Object.getPrototypeOf(handle);
      await handle.close();
      const { sync } = prototype;
      prototype.sync = async function (this: FileHandle) {
        if (existsSync(rootCa())) return sync.call(this);
        throw Object.assign(new Error('EIO: of the test'), { code: 'EIO' });
      };
      let endpoint: AuthorityEndpoint;
      try {
        endpoint = await start();
      } finally {
        prototype.sync = sync;
      }
      assert.equal(readFileSync(rootCa(), 'utf8'), one.pem);
      await endpoint.maintain();
      assert.deepEqual(listed(endpoint), [one.pem]);
      assert.ok(!existsSync(rootCa()));
    });

    it('leaves nothing of what a crash kept from being removed', async () => {
      const aside = join(dirname(path), '.Root-CA.pem.0123456789ab.new');
      writeFileSync(aside, one.pem);
      assert.deepEqual(listed(await start()), []);
      assert.ok(!existsSync(aside));
    });

    for (const [what, text] of [
      ['empty', ''],
      ['garbage', 'garbage'],
    ] as const) {
      it(`stays where it is when Root-CA.pem is ${what}`, async () => {
        writeFileSync(rootCa(), text);
        assert.deepEqual(listed(await start()), []);
        assert.equal(readFileSync(rootCa(), 'utf8'), text);
      });
    }
  });
});
