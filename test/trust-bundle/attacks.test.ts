import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { BundleFault, BundleFaultCode } from '../../src/trust-bundle/bundle-fault.ts';
import { day } from '../../src/trust-bundle/schedule.ts';
import { type BundleSettings, defaultBundleName } from '../../src/trust-bundle/settings.ts';
import { signDetached } from '../../src/x509/cms/sign.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
import {
  type Answer,
  BundleWorld,
  makeCa,
  makePublisher,
  type Publisher,
  sha256Of,
} from './bundle-world.ts';

const [one = '', two = '', three = ''] = ['First CA', 'Second CA', 'Third CA'].map(makeCa);

/** Everything of a directory but what is noted of each poll, to be compared. */
function contentsOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'state.json')
    .map(
      ({ parentPath, name }) => `${name} ${readFileSync(join(parentPath, name)).toString('hex')}`,
    )
    .sort();
}

describe('a server of bundles', () => {
  let publisher: Publisher;
  let world: BundleWorld;

  before(() => {
    publisher = makePublisher();
  });
  after(() => publisher.authority.remove());

  beforeEach(async () => {
    world = new BundleWorld(publisher);
    await world.listen();
  });
  afterEach(() => world.remove());

  /** Version 1 has one CA, version 2 has two; the device is at version 2. @returns the files of version 1 */
  async function atVersionTwo(more: Partial<BundleSettings> = {}) {
    await world.publish([one]);
    const files = world.files();
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'], ...more });
    await bundle.download();
    await world.settled();
    return files;
  }

  function serveSigned(name: string, content: Buffer, by: Issued = publisher.signer): void {
    const signature = signDetached(content, world.signerOf(by), new Date(world.clock.now()));
    world.answers.set(name, (_request, response) => response.end(content));
    world.answers.set(`${name}.p7s`, (_request, response) => response.end(signature));
  }

  /** Serves the manifest of the server with other members. */
  function serveManifest(members: object, by?: Issued): void {
    const manifest = JSON.parse(world.files().get('manifest.json')?.toString() ?? '');
    serveSigned('manifest.json', Buffer.from(JSON.stringify({ ...manifest, ...members })), by);
  }

  /** Serves a target as version 3, and all that belongs to it. */
  function serveTarget(text: string | Buffer, count = 2): void {
    const content = Buffer.from(text);
    serveSigned(defaultBundleName, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const target = { path: defaultBundleName, length: content.length, sha256, count };
    serveManifest({ revision: 3, target });
  }

  const answer = (name: string, how: Answer) => () => void world.answers.set(name, how);
  const newSigner = (shape: Parameters<BundleWorld['issueSigner']>[0]) => () =>
    serveManifest({ revision: 3 }, world.issueSigner(shape));
  const leaf = () => publisher.authority.issue({ subject: '/CN=Leaf' });
  const members = (of: object) => () => serveManifest({ revision: 3, ...of });
  const hang: Answer = (_request, response) => void response.write('{');
  const short = { idleMilliseconds: 100, deadlineMilliseconds: 60_000 };

  const attacks: readonly (readonly [
    string,
    BundleFaultCode,
    RegExp,
    (old: ReadonlyMap<string, Buffer>) => unknown,
    Partial<BundleSettings['limits']>?,
  ])[] = [
    ['serves an older version', 'rollback', /revision 1, and revision 2/, (old) => world.put(old)],
    [
      'serves another target as the same revision',
      'rollback',
      /another target as revision 2/,
      () =>
        world
          .publish([three], { revision: 2, directory: join(world.directory, 'other') })
          .then(() => {
            for (const name of ['manifest.json', 'manifest.json.p7s'])
              world.answers.set(name, (_request, response) =>
                response.end(readFileSync(join(world.directory, 'other', name))),
              );
          }),
    ],
    [
      'serves the target of another version',
      'hash-mismatch',
      /another target than revision 3/,
      async () => {
        const old = world.files().get(defaultBundleName) ?? Buffer.alloc(0);
        await world.publish([one, two, three]);
        world.answers.set(defaultBundleName, (_request, response) => response.end(old));
      },
    ],
    [
      'serves a target with another signature',
      'signature-invalid',
      /another content/,
      async (old) => {
        await world.publish([one, two, three]);
        world.put(
          new Map([
            [`${defaultBundleName}.p7s`, old.get(`${defaultBundleName}.p7s`) ?? Buffer.alloc(0)],
          ]),
        );
      },
    ],
    [
      'changes the manifest',
      'signature-invalid',
      /manifest\.json\.p7s is refused: it is the signature of another content/,
      () => {
        const text = world.files().get('manifest.json')?.toString() ?? '';
        world.put(
          new Map([['manifest.json', Buffer.from(text.replace('"revision": 2', '"revision": 9'))]]),
        );
      },
    ],
    [
      'signs with another root of the same name',
      'signer-untrusted',
      /no trusted CA is above it/,
      () => {
        const root = publisher.authority.issueCa({ subject: '/CN=Bundle Root' });
        return newSigner({ issuer: root })();
      },
    ],
    [
      'signs with a certificate that has expired',
      'signer-unfit',
      /has expired/,
      () => newSigner({ from: '20250101000000Z', until: '20250201000000Z' })(),
    ],
    [
      'signs with a certificate that is not valid yet',
      'signer-unfit',
      /not valid yet/,
      () => newSigner({ from: '20350101000000Z' })(),
    ],
    [
      'signs with a certificate for TLS',
      'signer-unfit',
      /none of the purposes/,
      () =>
        newSigner({ extensions: ['keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth'] })(),
    ],
    [
      'signs with a certificate that may not sign',
      'signer-unfit',
      /lacks digitalSignature/,
      () => newSigner({ extensions: ['keyUsage=keyAgreement', 'extendedKeyUsage=codeSigning'] })(),
    ],
    [
      'signs with a CA',
      'signer-unfit',
      /is a CA/,
      () =>
        newSigner({
          extensions: [
            'basicConstraints=CA:TRUE',
            'keyUsage=keyCertSign,digitalSignature',
            'extendedKeyUsage=codeSigning',
          ],
        })(),
    ],
    [
      'sends junk as a signature',
      'signature-malformed',
      /no SignedData in DER/,
      () => {
        serveManifest({ revision: 3 });
        answer('manifest.json.p7s', (_request, response) => void response.end('junk'))();
      },
    ],
    [
      'has the manifest of another bundle',
      'wrong-bundle',
      /bundle other/,
      members({ name: 'other' }),
    ],
    ['has a manifest for newer clients', 'wrong-bundle', /version 2/, members({ minClient: 2 })],
    ['has an unknown format', 'manifest-malformed', /format/, members({ format: 2 })],
    ['has a negative revision', 'manifest-malformed', /revision/, members({ revision: -1 })],
    ['has half a revision', 'manifest-malformed', /revision/, members({ revision: 2.5 })],
    [
      'has a date that does not exist',
      'manifest-malformed',
      /date/,
      members({ date: '2026-02-31T00:00:00Z' }),
    ],
    [
      'has a date at which nobody could sign it',
      'manifest-malformed',
      /date is after the end/,
      members({ date: '9998-01-01T00:00:00Z', nextUpdate: '9999-01-01T00:00:00Z' }),
    ],
    [
      'has an update before its date',
      'manifest-malformed',
      /nextUpdate/,
      members({ nextUpdate: '2020-01-01T00:00:00Z' }),
    ],
    [
      'leads out of the directory',
      'manifest-malformed',
      /target\/path/,
      members({ target: { path: '../x', length: 1, sha256: 'a'.repeat(64), count: 1 } }),
    ],
    [
      'announces a target that is too large',
      'too-large',
      /limit is 100000/,
      members({ target: { path: 'x', length: 100_001, sha256: 'a'.repeat(64), count: 1 } }),
    ],
    [
      'has a manifest that is no JSON',
      'manifest-malformed',
      /no JSON/,
      () => serveSigned('manifest.json', Buffer.from('{')),
    ],
    [
      'has a leaf among the CAs',
      'bundle-malformed',
      /CN=Leaf, is no CA/,
      () => serveTarget(one + leaf().pem),
    ],
    [
      'has a private key among the CAs',
      'bundle-malformed',
      /a block PRIVATE KEY/,
      () => serveTarget(one + two + leaf().key),
    ],
    [
      'has a block that is no certificate',
      'bundle-malformed',
      /certificate 2/,
      () => serveTarget(`${one}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
    ],
    [
      'has a block without an end',
      'bundle-malformed',
      /no END line/,
      () => serveTarget(one + two.slice(0, -30)),
    ],
    [
      'has a block that begins with a typing error',
      'bundle-malformed',
      /neither begins nor ends/,
      () => serveTarget(`${one}-----BEGIN CERTIFICATE----\n${two}`),
    ],
    [
      'has no text at all',
      'bundle-malformed',
      /control characters/,
      () => serveTarget(Buffer.alloc(10)),
    ],
    [
      'has fewer CAs than it says',
      'hash-mismatch',
      /2 CAs and the manifest says 3/,
      () => serveTarget(one + two, 3),
    ],
    [
      'ends before what it announced',
      'truncated',
      /announced end/,
      answer('manifest.json', (request, response) => {
        response.writeHead(200, { 'content-length': 500 });
        response.write('{');
        setImmediate(() => request.socket.destroy());
      }),
    ],
    [
      'announces a giant',
      'too-large',
      /more than 10000 bytes/,
      answer('manifest.json', (_request, response) => {
        response.writeHead(200, { 'content-length': 10 ** 12 });
        response.write('{');
      }),
    ],
    [
      'sends without end',
      'too-large',
      /more than 10000 bytes/,
      answer('manifest.json', (_request, response) => {
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(1000)));
        };
        response.on('drain', more);
        more();
      }),
    ],
    ['falls silent', 'timeout', /in time/, answer('manifest.json', hang), short],
    [
      'sends a byte now and then',
      'timeout',
      /in time/,
      answer('manifest.json', (_request, response) => {
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      }),
      { idleMilliseconds: 60_000, deadlineMilliseconds: 300 },
    ],
    [
      'leads elsewhere',
      'http-status',
      /redirects are not followed/,
      answer('manifest.json', (_request, response) => {
        response.writeHead(302, { location: '/cacert/other' }).end();
      }),
    ],
    [
      'fails',
      'http-status',
      /status 500/,
      answer('manifest.json', (_request, response) => void response.writeHead(500).end()),
    ],
    [
      'compresses what it sends',
      'content-encoding',
      /compressed/,
      answer('manifest.json', (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100)));
      }),
    ],
    [
      'hangs up',
      'unreachable',
      /cannot be reached/,
      answer('manifest.json', (request) => void request.socket.destroy()),
    ],
  ];
  for (const [what, code, reason, attack, limits] of attacks) {
    it(`that ${what} changes nothing, and the status says ${code}`, async () => {
      const old = await atVersionTwo({ limits: { ...world.settings().limits, ...limits } });
      const before = contentsOf(world.state);
      const group = world.endpoints.find({ type: 'authority', name: 'bundle' });
      await attack(old);
      await assert.rejects(world.bundle.download(), (fault: BundleFault) => {
        assert.equal(fault.code, code, fault.message);
        assert.match(fault.message, reason);
        return true;
      });
      const status = await world.settled();
      assert.equal(status.lastFailure?.code, code);
      assert.equal(status.version?.revision, 2);
      assert.equal(status.downloads[0]?.result, code);
      assert.deepEqual(contentsOf(world.state), before);
      const { modified } = world.endpoints.find({ type: 'authority', name: 'bundle' }) ?? {};
      assert.equal(modified, group?.modified);
      assert.ok(!world.requests.includes('other'));
      // It is taken as soon as it is good again
      world.answers.clear();
      await world.publish([three], { revision: 10 });
      assert.equal((await world.bundle.download()).result, 'updated');
      assert.equal(world.bundle.status().lastFailure, undefined);
    });
  }

  const harmless: readonly (readonly [string, string])[] = [
    ['line ends of DOS', (one + two).replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${one}${two}`],
    ['text between blocks', `# First\n${one}\nSecond\n======\n${two}`],
    ['a CA twice', one + two + one],
  ];
  for (const [what, text] of harmless) {
    it(`may serve ${what}`, async () => {
      await atVersionTwo();
      serveTarget(text);
      await world.bundle.download();
      const { version } = await world.settled();
      assert.equal(version?.revision, 3);
      assert.equal(version?.count, 2);
      assert.equal(version?.duplicates, what === 'a CA twice' ? 1 : 0);
    });
  }

  it('may have two CAs of one name, both of which are kept', async () => {
    const twins = [makeCa('Twin'), makeCa('Twin')];
    await world.publish(twins);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    const { groups } = await world.settled();
    assert.deepEqual(world.members('bundle'), twins.map(sha256Of).sort());
    const names = groups[0]?.members.map(({ name }) => name) ?? [];
    assert.equal(new Set(names).size, 2);
    assert.ok(names.includes('Twin'));
  });

  it('that repeats the same version for too long leaves the bundle in force, and stale', async () => {
    await atVersionTwo({ enabled: true });
    await world.clock.pass(31 * day);
    const stale = await world.until(({ state }) => state === 'stale');
    assert.equal(stale.version?.revision, 2);
    assert.equal(stale.lastFailure, undefined);
    assert.match(stale.warnings.join(' '), /not been confirmed/);
    assert.deepEqual(world.members('bundle'), [one, two].map(sha256Of).sort());
    await world.publish([one, two, three]);
    await world.bundle.download();
    assert.equal((await world.settled()).staleness, 'fresh');
  });

  it('that is away for too long has the bundle loaded into no more groups', async () => {
    await atVersionTwo();
    await world.clock.pass(121 * day);
    assert.equal(world.bundle.status().staleness, 'refused');
    await assert.rejects(world.bundle.load('more', { kind: 'default' }), { code: 'stale' });
    assert.deepEqual(world.members('bundle'), [one, two].map(sha256Of).sort());
  });

  it('is judged by the time that has certainly passed when the clock stands at 1970', async () => {
    await world.publish([one]);
    world.clock.setTo(1000);
    const bundle = await world.start();
    await bundle.download();
    const { version, warnings } = await world.settled();
    assert.equal(version?.revision, 1);
    assert.match(warnings.join(' '), /The clock stands before/);
    serveManifest(
      { revision: 2 },
      world.issueSigner({ from: '20250101000000Z', until: '20250201000000Z' }),
    );
    await assert.rejects(bundle.download(), { code: 'signer-unfit' });
  });

  it('may renew the date of its next update alone', async () => {
    await atVersionTwo();
    world.requests = [];
    const nextUpdate = new Date(world.clock.now() + 300 * day).toISOString();
    serveManifest({ nextUpdate });
    assert.equal((await world.bundle.download()).result, 'unchanged');
    assert.equal(world.bundle.status().version?.nextUpdate.toISOString(), nextUpdate);
    assert.ok(!world.requests.includes(defaultBundleName));
  });
});
