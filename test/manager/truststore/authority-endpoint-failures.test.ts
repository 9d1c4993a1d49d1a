import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { makeWorld, recordEvents, snapshot, type World } from '../../fakes/manager-world.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { type Issued, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const cas = ['One', 'Two', 'Three', 'Four'].map((name) =>
  tools.issueCa({ subject: `/CN=${name}` }),
);
const [one, two, three] = cas as [Issued, Issued, Issued, Issued];
const expired = tools.issueCa({ from: '20200101000000Z', until: '20210101000000Z' });

describe('a truststore in trouble', () => {
  let world: World;
  let definition: EndpointDefinition;
  let endpoint: AuthorityEndpoint;
  let events: string[];
  const ids = (of = endpoint) => of.list().map(({ id }) => id);
  const restart = async (dependencies = world.dependencies) => {
    const again = new AuthorityEndpoint(definition, dependencies);
    await again.start();
    return again;
  };

  beforeEach(async () => {
    world = makeWorld();
    const path = join(world.directory, 'state', 'authority');
    definition = { type: 'authority', name: 'truststore', path, reload: [] };
    endpoint = await restart();
    await endpoint.installAll(one.pem + two.pem);
    events = recordEvents(endpoint);
    world.reloads.length = 0;
  });
  afterEach(() => world.remove());

  const state = () => join(world.directory, 'state');
  const changes: [string, () => Promise<unknown>][] = [
    ['install', () => endpoint.install(three.pem)],
    ['replace', () => endpoint.replace('1', three.pem)],
    ['replaceAll', () => endpoint.replaceAll(three.pem)],
    ['delete', () => endpoint.delete('1')],
    ['deleteAll', () => endpoint.deleteAll()],
  ];
  for (const [what, change] of changes) {
    it(`is as it was after an ${what} that cannot be written, and works when it can`, async () => {
      const moved = join(world.directory, 'moved');
      renameSync(state(), moved);
      writeFileSync(state(), 'a file in place of the directory');
      const before = snapshot(moved);
      await assert.rejects(change(), refusal('storage', /ENOTDIR/));
      assert.deepEqual(ids(), ['1', '2']);
      assert.deepEqual(events, []);
      assert.deepEqual(world.reloads, []);
      assert.deepEqual(snapshot(moved), before);

      rmSync(state());
      renameSync(moved, state());
      await change();
      assert.deepEqual(ids(await restart()).sort(), ids().sort());
    });
  }

  it('is as it was when the path cannot be switched, with what is in its place', async () => {
    rmSync(definition.path);
    mkdirSync(join(definition.path, 'in the way'), { recursive: true });
    const restore = onDisk('rename', (real) => async (from, to) => {
      if (String(to) === definition.path && String(from).endsWith('.new')) throw diskError('EIO');
      return real(from, to);
    });
    try {
      await assert.rejects(endpoint.install(three.pem), refusal('storage'));
    } finally {
      restore();
    }
    assert.deepEqual(ids(), ['1', '2']);
    assert.deepEqual(readdirSync(state()).sort(), ['authority', 'authority.generations']);
    assert.deepEqual(readdirSync(definition.path), ['in the way']);
    await endpoint.install(three.pem);
    assert.deepEqual(ids(await restart()), ['1', '2', '4']);
    assert.deepEqual(readdirSync(`${definition.path}.taken-over`), ['in the way']);
  });

  it('lets go of an authority whose file somebody took away already', async () => {
    for (const name of ['1.pem', `${one.certificate.subjectHash}.0`])
      rmSync(join(definition.path, name));
    await endpoint.delete('1');
    assert.deepEqual(ids(), ['2']);
    assert.ok(!existsSync(join(definition.path, '1.pem')));
    assert.deepEqual(ids(await restart()), ['2']);
  });

  it('does changes that come at once one after another, and loses none', async () => {
    const results = await Promise.allSettled([
      endpoint.install(three.pem),
      endpoint.install(three.pem),
      endpoint.delete('1'),
      endpoint.delete('1'),
      endpoint.install(one.pem),
      endpoint.installAll(one.pem),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
    assert.deepEqual(ids(), ['2', '3', '4']);
    assert.deepEqual(ids(await restart()), ['2', '3', '4']);
  });

  it('reports a damaged certificate and serves the others', async () => {
    writeFileSync(join(definition.path, '1.pem'), 'garbage');
    const again = await restart();
    assert.deepEqual(ids(again), ['2']);
    const reported = world.logged.filter(({ level }) => level === 'error');
    assert.match(String(reported[0]?.fields.path), /\/1\.pem$/);
    assert.equal((await again.install(three.pem)).id, '3');
  });

  it('starts with nothing when its directory cannot be read, and says so', async () => {
    rmSync(state(), { recursive: true });
    writeFileSync(state(), 'a file in place of the directory');
    assert.deepEqual(ids(await restart()), []);
    assert.ok(world.logged.some(({ level }) => level === 'error'));
  });

  it('loses nothing when it cannot be read at the start and can be later', async () => {
    const before = ids();
    const { path } = definition;
    renameSync(`${path}.generations`, `${path}.elsewhere`);
    writeFileSync(`${path}.generations`, 'a file in place of the directory');
    const again = await restart();
    assert.deepEqual(ids(again), []);
    await assert.rejects(again.deleteAll(), refusal('storage'));
    rmSync(`${path}.generations`);
    renameSync(`${path}.elsewhere`, `${path}.generations`);
    await again.delete('1');
    assert.deepEqual(ids(again), before.slice(1));
    assert.deepEqual(ids(await restart()), before.slice(1));
  });

  it('gives no number twice when a staged replacement is the first that reads it', async () => {
    const { path } = definition;
    for (const id of ids()) await endpoint.delete(id);
    await assert.rejects(
      new AuthorityEndpoint(definition, world.dependencies).stage(three.pem),
      refusal('storage'),
    );
    renameSync(`${path}.generations`, `${path}.elsewhere`);
    writeFileSync(`${path}.generations`, 'a file in place of the directory');
    const again = await restart();
    rmSync(`${path}.generations`);
    renameSync(`${path}.elsewhere`, `${path}.generations`);
    const staged = await again.stage(three.pem);
    await staged.activate();
    assert.deepEqual(ids(again), ['3']);
    staged.release();
  });

  it('has its services told when a staged replacement is undone of which they were told', async () => {
    const saved = join(world.directory, 'saved');
    mkdirSync(saved);
    const staged = await endpoint.stage(three.pem);
    await staged.save(saved);
    await staged.activate();
    const told: string[] = [];
    const again = new AuthorityEndpoint(definition, {
      ...world.dependencies,
      oweReload: () => {
        told.push(existsSync(join(definition.path, '3.pem')) ? 'owed before' : 'owed after');
      },
      reload: async () => {
        told.push(`reloaded with ${ids(again)}`);
      },
    });
    await again.recover(saved);
    assert.deepEqual(told, ['owed before']);
    await again.start();
    assert.deepEqual(told.slice(1), ['reloaded with 1,2']);
    await again.maintain();
    assert.equal(told.length, 2);
  });

  it('keeps what has expired since it was installed', async () => {
    await endpoint.install(expired.pem);
    const checks = { allowExpired: false, requireCa: true, maxRsaBits: 8192 };
    const again = await restart({ ...world.dependencies, checks });
    assert.deepEqual(ids(again), ['1', '2', '3']);
    await assert.rejects(again.replace('1', expired.pem), refusal('expired'));
  });

  it('keeps more than a limit that was lowered since', async () => {
    const limits = { ...world.dependencies.limits, authorities: 1 };
    const again = await restart({ ...world.dependencies, limits });
    assert.deepEqual(ids(again), ['1', '2']);
    await assert.rejects(again.install(three.pem), refusal('limit-reached'));
    await again.delete('1');
    assert.deepEqual(ids(again), ['2']);
  });
});
