import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { day } from '../../src/trust-bundle/schedule.ts';
import { pemContent } from '../../src/x509/containers.ts';
import { BundleWorld, makeCa, makePublisher, type Publisher, sha256Of } from './bundle-world.ts';

const [first, second, third, own] = ['First CA', 'Second CA', 'Third CA', 'Own CA'].map(makeCa);
const cas = [first, second, third, own].flatMap((pem) => pem ?? []);
const [one = '', two = '', three = '', manual = ''] = cas;
const sorted = (...list: string[]) => list.map(sha256Of).sort();

describe('a signed trust bundle', () => {
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

  async function addByHand(group: string, ...certificates: string[]): Promise<void> {
    const { endpoints } = world;
    const endpoint = { type: 'authority', name: group } as const;
    const found = endpoints.find(endpoint);
    const present = found?.certificates.map(({ certificate }) => certificate.pem) ?? [];
    const content = pemContent([...present, ...certificates].join(''));
    const name = await endpoints.stage([{ endpoint, create: !found, content }]);
    await endpoints.activate(name);
    await endpoints.commit(name);
  }

  it('is downloaded by a new device without any command, and loaded into its groups', async () => {
    await world.publish([one, two]);
    await world.start({ enabled: true, groups: ['bundle'] });
    const status = await world.until(({ state, version }) => state === 'idle' && !!version);
    assert.equal(status.version?.revision, 1);
    assert.equal(status.version?.count, 2);
    assert.equal(status.highestRevision, 1);
    assert.equal(status.lastFailure, undefined);
    assert.deepEqual(world.members('bundle'), sorted(one, two));
    assert.deepEqual(
      status.groups[0]?.members.map(({ name, source, state }) => [name, source, state]).sort(),
      [
        ['First-CA', 'bundle', 'present'],
        ['Second-CA', 'bundle', 'present'],
      ],
    );
  });

  it('takes a CA away that is withdrawn, keeps its name, and fills it when the CA comes back', async () => {
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await world.settled();
    await addByHand('bundle', manual);
    await world.publish([one, three]);
    assert.equal((await bundle.download()).result, 'updated');
    await world.settled();
    assert.deepEqual(world.members('bundle'), sorted(one, three, manual));
    const names = () =>
      Object.fromEntries(
        bundle
          .status()
          .groups[0]?.members.map((member) => [member.name, `${member.source} ${member.state}`]) ??
          [],
      );
    assert.deepEqual(names(), {
      'First-CA': 'bundle present',
      'Second-CA': 'bundle absent',
      'Third-CA': 'bundle present',
      'Own-CA': 'manual present',
    });
    assert.deepEqual(
      world.events.flatMap((event) => (event.kind === 'updated' ? [event] : [])).at(-1),
      { kind: 'updated', from: 1, to: 2, added: [sha256Of(three)], removed: [sha256Of(two)] },
    );
    await world.publish([one, two, three]);
    await bundle.download();
    await world.settled();
    assert.equal(names()['Second-CA'], 'bundle present');
    assert.deepEqual(world.members('bundle'), sorted(one, two, three, manual));
  });

  it('leaves a CA that was added by hand although the bundle had it, too, and says so', async () => {
    await addByHand('bundle', one);
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await world.settled();
    await world.publish([two]);
    await bundle.download();
    const { warnings } = await world.settled();
    assert.deepEqual(world.members('bundle'), sorted(one, two));
    assert.match(warnings.join(' '), /First-CA as removed; it stays in the group bundle/);
  });

  it('loads nothing when nothing changed, and asks for no target then', async () => {
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await world.settled();
    const { modified } = world.endpoints.find({ type: 'authority', name: 'bundle' }) ?? {};
    world.requests = [];
    assert.equal((await bundle.download()).result, 'unchanged');
    await world.settled();
    assert.deepEqual(world.requests, ['manifest.json']);
    const group = world.endpoints.find({ type: 'authority', name: 'bundle' });
    assert.equal(group?.modified, modified);
  });

  it('tells which version the server has without asking for the target or changing anything', async () => {
    await world.publish([one]);
    const bundle = await world.start({ groups: ['bundle'] });
    const { revision } = await bundle.checkServer();
    assert.equal(revision, 1);
    assert.deepEqual(world.requests, ['manifest.json', 'manifest.json.p7s']);
    const { version, serverVersion } = bundle.status();
    assert.equal(version, undefined);
    assert.equal(serverVersion?.revision, 1);
    assert.equal(world.members('bundle'), undefined);
  });

  it('is kept up to date where no group follows it', async () => {
    await world.publish([one]);
    const bundle = await world.start();
    await bundle.download();
    await world.publish([one, two]);
    await bundle.download();
    const { version } = await world.settled();
    assert.equal(version?.revision, 2);
    assert.deepEqual(world.endpoints.list(), []);
  });

  it('is loaded by a command into a group, which follows it from then on, also after a restart', async () => {
    await world.publish([one]);
    await (await world.start()).download();
    await world.bundle.load('mine', { kind: 'default' });
    await world.until(({ groups }) => groups[0]?.state === 'loaded');
    assert.deepEqual(world.members('mine'), sorted(one));
    await world.stop();
    await world.start();
    assert.equal(world.bundle.status().version?.revision, 1);
    await world.publish([two]);
    await world.bundle.download();
    await world.settled();
    assert.deepEqual(world.members('mine'), sorted(two));
    await world.endpoints.remove({ type: 'authority', name: 'mine' });
    await world.bundle.download();
    await world.until(({ groups }) => groups.length === 0);
    assert.equal(world.members('mine'), undefined);
  });

  it('has the CAs of a file count as added by hand, also those that the bundle has', async () => {
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await world.settled();
    await bundle.load('bundle', { kind: 'file', content: Buffer.from(one + manual) });
    await world.until(() => world.members('bundle')?.length === 3);
    await world.publish([three]);
    await bundle.download();
    await world.settled();
    assert.deepEqual(world.members('bundle'), sorted(one, three, manual));
    await assert.rejects(bundle.load('bundle', { kind: 'file', content: Buffer.from('junk') }), {
      code: 'bundle-malformed',
    });
    await assert.rejects(bundle.load('../x', { kind: 'default' }), { code: 'setting' });
    await assert.rejects(bundle.load('logins', { kind: 'default' }), /let clients log in/);
  });

  it('keeps out what the policy blocks, what has constraints, and what is withdrawn', async () => {
    const constraints = [{ sha256: sha256Of(two), distrustIssuedAfter: new Date('2026-01-01') }];
    await world.publish([one, two, three], { constraints });
    const policy = {
      ...world.settings().policy,
      blocked: [sha256Of(one), 'ab'.repeat(32)],
    };
    const bundle = await world.start({ groups: ['bundle'], policy });
    await bundle.download();
    const status = await world.settled();
    assert.deepEqual(world.members('bundle'), sorted(three));
    assert.deepEqual(status.policy, { blocked: 2, blockedInBundle: 1, expired: 0, constrained: 1 });
  });

  it('leaves a group as it is rather than empty', async () => {
    await world.publish([one]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await world.settled();
    const constraints = [{ sha256: sha256Of(two), distrustIssuedAfter: new Date('2026-01-01') }];
    await world.publish([two], { constraints });
    await bundle.download();
    const { groups } = await world.settled();
    assert.equal(groups[0]?.lastFailure?.code, 'empty');
    assert.deepEqual(world.members('bundle'), sorted(one));
  });

  const block = (...cas: readonly string[]) => {
    const policy = { ...world.settings().policy, blocked: cas.map(sha256Of) };
    return world.updater.prepare([world.settings({ groups: ['bundle'], policy })])();
  };

  it('has no CA that is blocked in any group, although that empties the group', async () => {
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await bundle.load('by-hand', { kind: 'file', content: Buffer.from(two) });
    await world.until(() => world.members('by-hand')?.length === 1);
    await block(one, two);
    const { groups } = await world.until(() => world.members('by-hand')?.length === 0);
    assert.deepEqual(world.members('bundle'), []);
    assert.deepEqual(
      groups.map(({ lastFailure }) => lastFailure),
      [undefined, undefined],
    );
    await bundle.download();
    await world.settled();
    assert.deepEqual(world.members('bundle'), []);
    const file = { kind: 'file', content: Buffer.from(two + three) } as const;
    await assert.rejects(bundle.load('by-hand', file), { code: 'blocked' });
    await block();
    await world.until(() => world.members('bundle')?.length === 2);
    assert.deepEqual(world.members('by-hand'), []);
  });

  it('has what is blocked leave a group also when it is too old to be loaded', async () => {
    await world.publish([one, two]);
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    await world.settled();
    world.clock.setTo(world.clock.now() + 400 * day);
    await block(one);
    const { staleness } = await world.until(() => world.members('bundle')?.length === 1);
    assert.equal(staleness, 'refused');
  });

  it('that has only what is blocked makes a group without a CA', async () => {
    await world.publish([one]);
    await world.start();
    await block(one);
    await world.bundle.download();
    const { groups } = await world.until(({ groups: [group] }) => group?.state === 'loaded');
    assert.equal(groups[0]?.revision, 1);
    assert.deepEqual(world.members('bundle'), []);
  });

  it('waits for a manager that is away', async () => {
    await world.publish([one]);
    world.endpoints.leave();
    const bundle = await world.start({ groups: ['bundle'] });
    await bundle.download();
    const away = await world.settled();
    assert.equal(away.groups[0]?.state, 'error');
    assert.equal(away.groups[0]?.lastFailure?.code, 'unavailable');
    assert.equal(away.version?.revision, 1);
    world.endpoints.comeBack();
    await world.until(({ groups }) => groups[0]?.state === 'loaded');
    assert.deepEqual(world.members('bundle'), sorted(one));
  });

  it('is not configured without a URL or a root, and nothing is asked then', async () => {
    await world.publish([one]);
    const bundle = await world.start({ enabled: true, url: undefined });
    assert.equal(bundle.status().state, 'not configured');
    await assert.rejects(bundle.download(), { code: 'not-configured' });
    await bundle.set('url', world.url);
    await world.until(({ version }) => version?.revision === 1);
    await world.stop();
    world.requests = [];
    await world.start({ enabled: true, pinnedRoots: `${world.directory}/none` });
    assert.equal(world.bundle.status().state, 'not configured');
    assert.deepEqual(world.requests, []);
  });
});
