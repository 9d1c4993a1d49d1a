import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { AuthorityEndpoint } from '../../src/manager/authority-endpoint.ts';
import type { EndpointDefinition } from '../../src/manager/endpoint.ts';
import { type EndpointSet, endpointSet } from '../../src/manager/endpoint-set.ts';
import { PairEndpoint } from '../../src/manager/pair-endpoint.ts';
import { Trials } from '../../src/manager/trials.ts';
import { until } from '../e2e/commands.ts';
import { certificateOf, opensslAuthority } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';
import { makeWorld, snapshot, type World } from '../fakes/surroundings.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const oldCa = tools.issueCa({ subject: '/CN=Old CA' });
const newCa = tools.issueCa({ subject: '/CN=New CA' });
const other = tools.issueCa({ subject: '/CN=Other CA' });
const before = tools.issue({ issuer: oldCa, subject: '/CN=before' });
const next = tools.issue({ issuer: newCa, subject: '/CN=next' });
const pairOf = ({ key, pem }: { key: string; pem: string }) => key + pem;
const mark = (pem: string) => certificateOf(pem).fingerprint.slice(0, 8);

const owner = ':1.7';
const limits = { defaultSeconds: 60, mostSeconds: 100 };

describe('a replacement in two phases', () => {
  let world: World;
  let server: PairEndpoint;
  let truststore: AuthorityEndpoint;
  let trials: Trials;
  let states: string[];

  const definitions = () => {
    const at = (path: string) => join(world.directory, path);
    const pair: EndpointDefinition = {
      type: 'server',
      name: 'https',
      path: at('https/server.pem'),
      reload: [],
    };
    const authority: EndpointDefinition = {
      type: 'authority',
      name: 'truststore',
      path: at('authority'),
      reload: [],
    };
    return { pair, authority };
  };
  const makeEndpoints = () => {
    const { pair, authority } = definitions();
    server = new PairEndpoint(pair, world.surroundings);
    truststore = new AuthorityEndpoint(authority, world.surroundings);
    trials = new Trials(world.surroundings.log, limits);
    states = [];
    trials.subscribe(({ endpoint, state }) => states.push(`${endpoint.name} ${state}`));
  };
  const served = () => server.list().map(({ certificate }) => mark(certificate.pem));
  const trusted = () =>
    truststore.list().map(({ id, certificate }) => `${id} ${mark(certificate.pem)}`);
  const isOld = () => {
    assert.deepEqual(served(), [mark(before.pem)]);
    assert.deepEqual(trusted(), [`1 ${mark(oldCa.pem)}`]);
    assert.equal(readFileSync(server.definition.path, 'utf8'), pairOf(before));
    assert.ok(existsSync(join(truststore.definition.path, '1.pem')));
    assert.ok(!existsSync(`${server.definition.path}.trial`));
  };
  const isNew = () => {
    assert.deepEqual(served(), [mark(next.pem)]);
    assert.deepEqual(trusted(), [`2 ${mark(newCa.pem)}`]);
    assert.equal(readFileSync(server.definition.path, 'utf8'), pairOf(next));
  };
  const stage = () =>
    trials.stage(owner, [
      { endpoint: server, text: pairOf(next) },
      { endpoint: truststore, text: newCa.pem },
    ]);
  /** The same files, read by a manager that knows nothing of the trial. */
  const restart = async () => {
    server.stop();
    truststore.stop();
    makeEndpoints();
    await trials.recover([server, truststore]);
    await server.start();
    await truststore.start();
  };

  beforeEach(async () => {
    world = makeWorld();
    makeEndpoints();
    mkdirSync(dirname(server.definition.path));
    writeFileSync(server.definition.path, pairOf(before), { mode: 0o600 });
    await server.start();
    await truststore.start();
    await truststore.install(oldCa.pem);
  });
  afterEach(async () => {
    await trials.stop();
    server.stop();
    truststore.stop();
    world.remove();
  });

  it('changes nothing when it is staged', async () => {
    const files = snapshot(world.directory);
    await stage();
    isOld();
    // The number for the new CA is given out, and a number is never given twice
    const without = (all: Record<string, string>) =>
      Object.entries(all).filter(([path]) => !path.endsWith('next-id'));
    assert.deepEqual(without(snapshot(world.directory)), without(files));
    assert.deepEqual(states, ['https staged', 'truststore staged']);
  });

  it('puts the certificate and its authorities into service together, and keeps them', async () => {
    const trial = await stage();
    await trials.activate(owner, trial);
    isNew();
    assert.deepEqual(world.reloads.slice(-2), ['truststore', 'https']);
    await trials.commit(owner, trial);
    isNew();
    await restart();
    isNew();
    assert.ok(!readdirSync(dirname(server.definition.path)).some((name) => /trial/.test(name)));
  });

  it('works for a certificate alone, and for a bundle alone', async () => {
    const one = await trials.stage(owner, [{ endpoint: server, text: pairOf(next) }]);
    await trials.activate(owner, one);
    await trials.commit(owner, one);
    assert.deepEqual(served(), [mark(next.pem)]);
    const two = await trials.stage(owner, [{ endpoint: truststore, text: newCa.pem }]);
    await trials.activate(owner, two);
    await trials.rollback(owner, two);
    assert.deepEqual(trusted(), [`1 ${mark(oldCa.pem)}`]);
  });

  const endings: readonly [string, (trial: string) => Promise<void>][] = [
    ['its owner asks for it', (trial) => trials.rollback(owner, trial)],
    ['its owner leaves', () => trials.ownerLeft(owner)],
    ['the manager ends in order', () => trials.stop()],
    ['the manager starts after it was killed', () => restart()],
  ];
  for (const [when, end] of endings) {
    it(`is undone when ${when}`, async () => {
      const trial = await stage();
      await trials.activate(owner, trial);
      await end(trial);
      isOld();
      await assert.rejects(trials.commit(owner, trial), refusal('not-found'));
      await server.replace('1', pairOf(next));
    });

    it(`is forgotten when ${when} before it was activated`, async () => {
      const trial = await stage();
      await end(trial);
      isOld();
      await server.replace('1', pairOf(next));
    });
  }

  it('is undone when its time is up', async () => {
    const trial = await stage();
    await trials.activate(owner, trial, 1);
    isNew();
    await until('it is undone', () => served()[0] === mark(before.pem), 5000);
    await until('nothing is left of it', () => states.at(-1) === 'truststore none', 5000);
    isOld();
  });

  describe('that a manager finds which cannot undo it at first', () => {
    let set: EndpointSet;
    const generations = () => `${truststore.definition.path}.generations`;

    beforeEach(async () => {
      await trials.activate(owner, await stage());
      server.stop();
      truststore.stop();
      renameSync(generations(), `${generations()}.away`);
      writeFileSync(generations(), '');
      makeEndpoints();
      set = endpointSet([server, truststore], trials);
      await set.start();
    });
    afterEach(() => set.stop());

    it('keeps every endpoint out of service', async () => {
      assert.deepEqual([served(), trusted()], [[], []]);
      for (const change of [
        server.install(pairOf(next)),
        server.replace('1', pairOf(next)),
        server.deleteAll(),
        truststore.install(newCa.pem),
        truststore.deleteAll(),
      ])
        await assert.rejects(change, refusal('storage'));
    });

    it('is undone when the disk is well again', async () => {
      rmSync(generations());
      renameSync(`${generations()}.away`, generations());
      await set.maintain();
      isOld();
    });

    it('is given up when the disk does not become well', async () => {
      for (let round = 0; round < 3; round += 1) await set.maintain();
      assert.ok(readdirSync(dirname(server.definition.path)).some((name) => /failed/.test(name)));
      assert.equal(served().length, 1);
    });
  });

  describe('that can never be undone', () => {
    const journal = () => `${server.definition.path}.trial`;
    const failed = () =>
      readdirSync(dirname(journal())).filter((name) => name.includes('.trial.failed-'));
    const endWithDamage = async () => {
      await trials.activate(owner, await stage());
      server.stop();
      truststore.stop();
      writeFileSync(join(journal(), 'authority.truststore', '1.pem'), 'garbage');
      makeEndpoints();
    };

    it('keeps every endpoint out of service until it is out of the way for good', async () => {
      await endWithDamage();
      const handle = await open(world.directory, 'r');
      const prototype: { sync(this: FileHandle): Promise<void> } = Object.getPrototypeOf(handle);
      await handle.close();
      const { sync } = prototype;
      prototype.sync = async function (this: FileHandle) {
        if (existsSync(journal())) return sync.call(this);
        throw Object.assign(new Error('EIO: of the test'), { code: 'EIO' });
      };
      const set = endpointSet([server, truststore], trials);
      try {
        await set.start();
      } finally {
        prototype.sync = sync;
      }
      assert.deepEqual([served(), failed(), existsSync(journal())], [[], [], true]);
      await set.maintain();
      assert.equal(served().length, 1);
      assert.deepEqual([failed().length, existsSync(journal())], [1, false]);
      set.stop();
    });

    it('is kept aside with the newest others, and older ones go', async () => {
      await endWithDamage();
      for (let nth = 1; nth <= 9; nth += 1) {
        mkdirSync(`${journal()}.failed-${nth}`);
        utimesSync(`${journal()}.failed-${nth}`, nth, nth);
      }
      await restart();
      const left = failed().map((name) => name.slice(name.lastIndexOf('-') + 1));
      assert.deepEqual([left.length, left.includes('2'), left.includes('3')], [8, false, true]);
    });
  });

  it('leaves the record of another one where it is when it cannot write its own', async () => {
    const older = join(`${server.definition.path}.trial`, 'server.https');
    mkdirSync(older, { recursive: true });
    writeFileSync(join(older, 'pair.pem'), pairOf(before));
    await assert.rejects(trials.activate(owner, await stage()), refusal('storage'));
    assert.equal(readFileSync(join(older, 'pair.pem'), 'utf8'), pairOf(before));
    rmSync(dirname(older), { recursive: true });
    isOld();
  });

  it('goes back to no certificate where there was none', async () => {
    const path = join(world.directory, 'ldap', 'cert.pem');
    const definition: EndpointDefinition = { type: 'client', name: 'ldap', path, reload: [] };
    const client = new PairEndpoint(definition, world.surroundings);
    await client.start();
    const trial = await trials.stage(owner, [{ endpoint: client, text: pairOf(next) }]);
    await trials.activate(owner, trial);
    assert.ok(existsSync(path));
    const again = new PairEndpoint(definition, world.surroundings);
    await new Trials(world.surroundings.log, limits).recover([again]);
    assert.ok(!existsSync(path));
    client.stop();
  });

  it('keeps every other change out until it ends', async () => {
    const trial = await stage();
    const refusals = [
      () => server.replace('1', pairOf(next)),
      () => server.delete('1'),
      () => server.deleteAll(),
      () => truststore.install(newCa.pem),
      () => truststore.replaceAll(newCa.pem),
      () => trials.stage(':1.8', [{ endpoint: server, text: pairOf(next) }]),
    ];
    for (const refused of refusals) await assert.rejects(refused(), refusal('on-trial'));
    await trials.activate(owner, trial);
    for (const refused of refusals) await assert.rejects(refused(), refusal('on-trial'));
    await trials.rollback(owner, trial);
    await truststore.install(newCa.pem);
  });

  it('holds nothing when one of its parts is refused', async () => {
    const parts = [
      { endpoint: server, text: pairOf(next) },
      { endpoint: truststore, text: 'garbage' },
    ];
    await assert.rejects(trials.stage(owner, parts), refusal('no-certificate'));
    assert.deepEqual(states, []);
    await server.replace('1', pairOf(next));
  });

  it('is nobody’s but its owner’s', async () => {
    const trial = await stage();
    const other = ':1.8';
    await trials.ownerLeft(other);
    await assert.rejects(trials.activate(other, trial), refusal('not-found'));
    await assert.rejects(trials.commit(other, trial), refusal('not-found'));
    await assert.rejects(trials.rollback(other, trial), refusal('not-found'));
    await trials.activate(owner, trial);
    isNew();
  });

  it('cannot be committed before it is active, nor activated twice', async () => {
    const trial = await stage();
    await assert.rejects(trials.commit(owner, trial), refusal('on-trial'));
    await trials.activate(owner, trial);
    await assert.rejects(trials.activate(owner, trial), refusal('on-trial'));
    isNew();
  });

  it('takes no longer than the limit', async () => {
    const parts = [{ endpoint: server, text: pairOf(next) }];
    await assert.rejects(trials.stage(owner, parts, 101), refusal('argument-invalid'));
    const trial = await stage();
    await assert.rejects(trials.activate(owner, trial, 101), refusal('argument-invalid'));
  });

  it('is undone as a whole when its second half cannot be written', async () => {
    const trial = await stage();
    // A directory in place of the file: the rename of the pair fails, after the truststore was switched
    rmSync(server.definition.path);
    mkdirSync(join(server.definition.path, 'in the way'), { recursive: true });
    await assert.rejects(trials.activate(owner, trial), refusal('file-unreadable'));
    assert.deepEqual(trusted(), [`1 ${mark(oldCa.pem)}`]);
  });

  it('cannot be committed once a part of it could not be undone, and is undone in the end', async () => {
    const trial = await stage();
    await trials.activate(owner, trial);
    const { path } = server.definition;
    rmSync(path);
    mkdirSync(join(path, 'in the way'), { recursive: true });
    await assert.rejects(trials.rollback(owner, trial), refusal('storage'));
    assert.deepEqual(trusted(), [`1 ${mark(oldCa.pem)}`]);
    await assert.rejects(trials.commit(owner, trial), refusal('on-trial'));
    rmSync(path, { recursive: true });
    await until('it is tried again', () => states.at(-1) === 'truststore none', 10_000);
    isOld();
  });

  it('is kept by a commit though somebody else wrote into the files meanwhile', async () => {
    const trial = await stage();
    await trials.activate(owner, trial);
    writeFileSync(server.definition.path, 'garbage');
    writeFileSync(join(truststore.definition.path, '2.pem'), 'garbage');
    await trials.commit(owner, trial);
    isNew();
    await restart();
    isNew();
  });

  describe('with a certificate that somebody puts into the truststore meanwhile', () => {
    const put = (name: string) => writeFileSync(join(truststore.definition.path, name), other.pem);
    const foreign = () => readdirSync(`${truststore.definition.path}.generations/foreign`);
    let trial: string;
    beforeEach(async () => {
      trial = await stage();
      await trials.activate(owner, trial);
    });

    for (const [end, isOver] of [
      ['commit', isNew],
      ['rollback', isOld],
    ] as const) {
      it(`leaves it to be looked at after a ${end}`, async () => {
        put('other.pem');
        await trials[end](owner, trial);
        isOver();
        assert.ok(existsSync(join(truststore.definition.path, 'other.pem')));
      });

      it(`keeps it aside after a ${end} when it has a name of ours`, async () => {
        put('2.pem');
        await trials[end](owner, trial);
        isOver();
        assert.deepEqual(foreign(), ['2.pem']);
      });
    }

    it('can be undone when the whole path is a directory of somebody else’s', async () => {
      rmSync(truststore.definition.path);
      mkdirSync(truststore.definition.path);
      put('other.pem');
      await trials.rollback(owner, trial);
      isOld();
      assert.deepEqual(readdirSync(`${truststore.definition.path}.taken-over`), ['other.pem']);
    });
  });

  it('renews no generated certificate meanwhile, and does afterwards', async () => {
    await server.delete('1');
    const generated = served();
    const trial = await trials.stage(owner, [{ endpoint: server, text: pairOf(next) }]);
    world.now = new Date(world.now.getTime() + 390 * 86_400_000);
    await server.maintain();
    assert.deepEqual(served(), generated);
    await trials.rollback(owner, trial);
    await server.maintain();
    assert.notDeepEqual(served(), generated);
  });
});
