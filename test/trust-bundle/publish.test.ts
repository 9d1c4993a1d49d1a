import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { openssl } from '../fakes/openssl-authority.ts';
import { BundleWorld, makeCa, makePublisher, type Publisher, sha256Of } from './bundle-world.ts';

const [one = '', two = '', three = ''] = ['First CA', 'Second CA', 'Third CA'].map(makeCa);
const debian = '/etc/ssl/certs/ca-certificates.crt';

describe('a published bundle', () => {
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

  function verifyByOpenssl(name: string): void {
    const file = join(world.published, name);
    openssl([
      ...['cms', '-verify', '-binary', '-content', file, '-in', `${file}.p7s`, '-inform', 'DER'],
      ...['-CAfile', publisher.root.path, '-purpose', 'any', '-out', '/dev/null'],
    ]);
  }

  it('of the real CAs of Debian is taken by openssl and by a device', {
    skip: !existsSync(debian) && 'there are no ca-certificates here',
  }, async () => {
    const { count } = await world.publish([], { sources: [debian] });
    assert.ok(count > 100);
    verifyByOpenssl('manifest.json');
    verifyByOpenssl('default-trusted-ca-certs');
    openssl([
      'verify',
      '-CAfile',
      publisher.root.path,
      '-untrusted',
      join(world.published, 'signer.crt'),
      join(world.published, 'signer.crt'),
    ]);
    const { limits } = world.settings();
    const bundle = await world.start({
      groups: ['bundle'],
      limits: { ...limits, maxBytes: 5_000_000, maxCertificates: 2000 },
    });
    await bundle.download();
    const { version, groups, policy } = await world.settled();
    assert.equal(version?.count, count);
    assert.equal(world.members('bundle')?.length, count - policy.expired);
    const names = groups[0]?.members.map(({ name }) => name) ?? [];
    assert.equal(new Set(names).size, names.length);
  });

  it('has the next revision, and says which CAs are gone until they come back', async () => {
    const first = await world.publish([one, two, two]);
    assert.deepEqual([first.revision, first.count, first.removed], [1, 2, []]);
    const second = await world.publish([one, three], { removalReason: 'compromise' });
    assert.deepEqual(second, {
      ...{ revision: 2, count: 2 },
      ...{ added: [sha256Of(three)], removed: [sha256Of(two)] },
    });
    const removed = () =>
      JSON.parse(readFileSync(join(world.published, 'manifest.json'), 'utf8')).removed;
    assert.deepEqual(removed(), [{ sha256: sha256Of(two), reason: 'compromise' }]);
    await world.publish([one]);
    assert.equal(removed().length, 2);
    await world.publish([one, two, three], { revision: 10 });
    assert.deepEqual(removed(), []);
    await assert.rejects(world.publish([one], { revision: 10 }), { code: 'rollback' });
  });

  it('may come from a directory with CAs below it', async () => {
    const directory = join(world.directory, 'cas', 'mozilla');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'One.crt'), one);
    writeFileSync(join(directory, 'notes.txt'), 'nothing');
    const { count } = await world.publish([], { sources: [join(world.directory, 'cas')] });
    assert.equal(count, 1);
  });

  it('is not made of what clients would refuse', async () => {
    const leaf = publisher.authority.issue({ subject: '/CN=Leaf' });
    await assert.rejects(world.publish([one, leaf.pem]), { code: 'bundle-malformed' });
    await assert.rejects(world.publish([]), { code: 'bundle-malformed' });
    await assert.rejects(world.publish([], { sources: [] }), { code: 'empty' });
    const signer = world.signerOf(world.issueSigner({ extensions: ['keyUsage=keyAgreement'] }));
    await assert.rejects(world.publish([one], { signer }), { code: 'signer-unfit' });
    const ca = world.signerOf(publisher.intermediate);
    await assert.rejects(world.publish([one], { signer: ca }), /is a CA/);
    const other = { ...world.signerOf(publisher.signer), key: signer.key };
    await assert.rejects(world.publish([one], { signer: other }), /does not belong to the key/);
    assert.ok(!existsSync(world.published));
  });
});
