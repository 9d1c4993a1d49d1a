import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../src/core/cert-error.ts';
import type { StoredGroup } from '../../src/trust-bundle/group-content.ts';
import { planBundleLoad } from '../../src/trust-bundle/group-content.ts';
import { type GroupRecords, loadGroup } from '../../src/trust-bundle/load-group.ts';
import { pemContent } from '../../src/x509/containers.ts';
import { MemoryEndpoints } from '../fakes/memory-endpoints.ts';
import { diskError, onDisk } from '../fakes/moody-disk.ts';
import { certificateOf } from '../fakes/openssl-authority.ts';
import { BundleWorld, makeCa, makePublisher, type Publisher, sha256Of } from './bundle-world.ts';

const [one = '', two = '', own = ''] = ['First CA', 'Second CA', 'Own CA'].map(makeCa);

describe('a download', () => {
  let publisher: Publisher;
  let world: BundleWorld;

  before(() => {
    publisher = makePublisher();
  });
  after(() => publisher.authority.remove());
  beforeEach(async () => {
    world = new BundleWorld(publisher);
    await world.listen();
    await world.publish([one]);
    await (await world.start()).download();
    await world.settled();
    await world.publish([one, two]);
  });
  afterEach(() => world.remove());

  it('that is killed at any step leaves the version before or the new one, whole', async () => {
    const copies: string[] = [];
    /** What a program that is killed now leaves behind. */
    const copy = () => {
      const to = join(world.directory, `killed-${copies.length}`);
      cpSync(world.state, to, { recursive: true, verbatimSymlinks: true });
      copies.push(to);
    };
    const back = [
      onDisk('rename', (real) => async (...parameters) => {
        copy();
        await real(...parameters);
      }),
      onDisk('open', (real) => async (...parameters) => {
        copy();
        return real(...parameters);
      }),
    ];
    try {
      await world.bundle.download();
      copy();
    } finally {
      for (const restore of back) restore();
    }
    await world.stop();
    const revisions: (number | undefined)[] = [];
    for (const killed of copies) {
      rmSync(world.state, { recursive: true });
      cpSync(killed, world.state, { recursive: true, verbatimSymlinks: true });
      await world.start();
      const { version, highestRevision } = world.bundle.status();
      assert.equal(highestRevision, version?.revision);
      revisions.push(version?.revision);
      if (version?.revision === 1) assert.equal((await world.bundle.download()).result, 'updated');
      await world.stop();
    }
    assert.ok(copies.length > 10);
    assert.deepEqual(revisions, [...revisions].sort());
    assert.deepEqual([revisions[0], revisions.at(-1)], [1, 2]);
  });

  it('that the disk does not take leaves the version before, at whichever step', async () => {
    let failing = Number.POSITIVE_INFINITY;
    let calls = 0;
    const fails = (path: unknown) => {
      if (!/versions|current/.test(String(path))) return false;
      calls += 1;
      return calls === failing;
    };
    const back = [
      onDisk('rename', (real) => async (...parameters) => {
        if (fails(parameters[1])) throw diskError('ENOSPC');
        await real(...parameters);
      }),
      onDisk('open', (real) => async (...parameters) => {
        if (fails(parameters[0])) throw diskError('ENOSPC');
        return real(...parameters);
      }),
    ];
    try {
      for (let at = 1; ; at += 1) {
        [failing, calls] = [at, 0];
        const outcome = await world.bundle.download().then(
          ({ result }) => result,
          ({ code }) => code,
        );
        const revision = world.bundle.status().version?.revision;
        if (outcome === 'updated') {
          assert.equal(revision, 2);
          assert.ok(at > 5);
          break;
        }
        assert.equal(outcome, 'storage');
        assert.equal(revision, 1);
      }
    } finally {
      for (const restore of back) restore();
    }
  });

  it('that arrives cut on the disk is refused', async () => {
    const restore = onDisk('open', (real) => async (...parameters) => {
      const handle = await real(...parameters);
      if (!String(parameters[0]).endsWith('target.pem')) return handle;
      const write = handle.writeFile.bind(handle);
      handle.writeFile = (data) => write(Buffer.from(String(data)).subarray(0, 100));
      return handle;
    });
    try {
      await assert.rejects(world.bundle.download(), /target\.pem is not what was written/);
    } finally {
      restore();
    }
    assert.equal(world.bundle.status().version?.revision, 1);
  });
});

describe('a load that is killed', () => {
  const group = 'bundle';
  const endpoint = { type: 'authority', name: group } as const;

  /** A group with two CAs of the bundle and one by hand, whose bundle now has the first alone. */
  async function prepared() {
    const endpoints = new MemoryEndpoints('/nonexistent/service.pem');
    const byHand = await endpoints.stage([{ endpoint, create: true, content: pemContent(own) }]);
    await endpoints.activate(byHand);
    await endpoints.commit(byHand);
    const stored = new Map<string, StoredGroup>();
    const records: GroupRecords = {
      find: (name) => stored.get(name),
      write: async (name, record) => void stored.set(name, record),
    };
    const load = (revision: number, cas: readonly string[], through = records, over = endpoints) =>
      loadGroup(over, through, group, (present, content) =>
        planBundleLoad(
          present,
          content,
          { revision, certificates: cas.map(certificateOf), isEmptiedByBlock: false },
          10,
        ),
      );
    await load(1, [one]);
    const members = () =>
      endpoints
        .find(endpoint)
        ?.certificates.map(({ certificate }) => certificate.fingerprint.toLowerCase())
        .sort();
    return { endpoints, records, load, members };
  }

  const expected = (...cas: string[]) => cas.map(sha256Of).sort();
  const killed = () => {
    throw new CertError('unavailable', 'the program was killed');
  };

  for (const step of ['intention', 'activate', 'commit', 'outcome']) {
    it(`before its ${step} is done takes no CA of the bundle for one by hand, or the reverse`, async () => {
      const { endpoints, records, load, members } = await prepared();
      let writes = 0;
      const dying: GroupRecords = {
        ...records,
        write: async (name, record) => {
          writes += 1;
          if (step === 'intention' || (step === 'outcome' && writes === 2)) killed();
          await records.write(name, record);
        },
      };
      const over = Object.create(endpoints) as MemoryEndpoints;
      const methods: Partial<MemoryEndpoints> = {
        stage: (...parameters) => endpoints.stage(...parameters),
        activate: async (name) => (step === 'activate' ? killed() : endpoints.activate(name)),
        commit: async (name) => (step === 'commit' ? killed() : endpoints.commit(name)),
        rollback: async () => killed(),
        find: (ref) => endpoints.find(ref),
      };
      Object.assign(over, methods);
      await assert.rejects(load(2, [one, two], dying, over));
      // The manager undoes what nobody committed
      endpoints.leave();
      endpoints.comeBack();
      assert.deepEqual(
        members(),
        step === 'outcome' ? expected(own, one, two) : expected(own, one),
      );
      await load(3, [one, two]);
      assert.deepEqual(members(), expected(own, one, two));
      await load(4, [one]);
      assert.deepEqual(members(), expected(own, one));
      const { ours, absent } = records.find(group)?.content ?? {};
      assert.deepEqual(
        ours?.map(({ name }) => name),
        ['First-CA'],
      );
      assert.deepEqual(
        absent?.map(({ name }) => name),
        ['Second-CA'],
      );
    });
  }
});
