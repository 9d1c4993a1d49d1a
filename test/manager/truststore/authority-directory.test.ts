import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import {
  type Authority,
  AuthorityDirectory,
} from '../../../src/manager/truststore/authority-directory.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { goodTime, type Issued, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const one = tools.issueCa({ subject: '/CN=One CA' });
const two = tools.issueCa({ subject: '/O=Zürich, Inc./CN=Zwei CA' });
/** The subject of `one` with another key. */
const namesake = tools.issueCa({ subject: '/CN=One CA' });

let parent: string;
let path: string;
let store: AuthorityDirectory;
beforeEach(async () => {
  parent = mkdtempSync(join(tools.directory, 'case-'));
  path = join(parent, 'authority');
  store = new AuthorityDirectory(path);
  await store.load();
});

const authority = (id: number, { certificate }: Issued): Authority => ({ id, certificate });
const idsOf = (list: readonly Authority[]) => list.map(({ id }) => id);
const generations = () => readdirSync(`${path}.generations`).filter((name) => /^\d+$/.test(name));

/** Whether openssl finds the issuer of a certificate through the directory. */
const isTrusted = (issuer: Issued): boolean => {
  const leaf = tools.issue({ issuer, subject: '/CN=leaf' });
  const when = ['-attime', String(goodTime.getTime() / 1000)];
  try {
    openssl(['verify', ...when, '-no-CAfile', '-no-CAstore', '-CApath', path, leaf.path]);
    return true;
  } catch {
    return false;
  }
};

describe('an authority directory', () => {
  it('is there and empty after the first load', () => {
    assert.deepEqual(readdirSync(path), []);
    assert.equal(statSync(path).mode & 0o777, 0o755);
  });

  it('is for everybody to enter, whatever the umask is and whenever the power went', async () => {
    const modes = () =>
      [path, `${path}.generations`].map((one) => statSync(one).mode.toString(8).slice(-3));
    const umask = process.umask(0o077);
    try {
      await store.commit([authority(1, one), authority(2, two)]);
      assert.deepEqual(modes(), ['755', '755']);
      chmodSync(`${path}.generations`, 0o700);
      chmodSync(path, 0o700);
      await new AuthorityDirectory(path).load();
      assert.deepEqual(modes(), ['755', '755']);
    } finally {
      process.umask(umask);
    }
  });

  it('is what openssl takes as -CApath', async () => {
    await store.commit([authority(1, one)]);
    assert.deepEqual([isTrusted(one), isTrusted(two)], [true, false]);
    await store.commit([authority(1, one), authority(2, two)]);
    assert.deepEqual([isTrusted(one), isTrusted(two)], [true, true]);
    await store.commit([authority(2, two)]);
    assert.deepEqual([isTrusted(one), isTrusted(two)], [false, true]);
    await store.commit([]);
    assert.deepEqual([isTrusted(one), isTrusted(two)], [false, false]);
  });

  it('has CAs of one subject under one hash, both of which openssl finds', async () => {
    await store.commit([authority(1, one), authority(2, namesake)]);
    const hash = one.certificate.subjectHash;
    const names = ['1.pem', '2.pem', `${hash}.0`, `${hash}.1`, 'trust_bundle'];
    assert.deepEqual(readdirSync(path).sort(), names.sort());
    assert.ok(isTrusted(one) && isTrusted(namesake));
    await store.commit([authority(2, namesake)]);
    assert.equal(readlinkSync(join(path, `${hash}.0`)), '2.pem');
    assert.deepEqual([isTrusted(one), isTrusted(namesake)], [false, true]);
  });

  it('is found by openssl rehash as it is', async () => {
    await store.commit([authority(1, one), authority(2, two)]);
    const links = readdirSync(path).sort();
    openssl(['rehash', path]);
    assert.deepEqual(readdirSync(path).sort(), links);
  });

  it('holds certificates alone, readable by everyone', async () => {
    await store.commit([authority(7, one)]);
    assert.equal(openssl(['x509', '-in', join(path, '7.pem')]), one.pem);
    assert.equal(statSync(join(path, '7.pem')).mode & 0o777, 0o644);
  });

  it('is read back by another start', async () => {
    await store.commit([authority(10, one), authority(9, two)]);
    const { authorities, unreadable } = await new AuthorityDirectory(path).load();
    assert.deepEqual(
      authorities.map(({ id, certificate }) => [id, certificate.pem]),
      [
        [9, two.pem],
        [10, one.pem],
      ],
    );
    assert.deepEqual(unreadable, []);
  });

  it('has one generation after any number of changes, and nothing beside it', async () => {
    for (let round = 0; round < 20; round += 1) {
      await store.commit(round % 2 === 0 ? [authority(1, one)] : [authority(2, two)]);
    }
    assert.equal(generations().length, 1);
    assert.deepEqual(readdirSync(parent).sort(), ['authority', 'authority.generations']);
  });

  it('leads a reader to the old set or the new one at any time', async () => {
    await store.commit([authority(1, one)]);
    let changing = true;
    const changes = (async () => {
      for (let round = 0; round < 30; round += 1) {
        const set =
          round % 2 === 0 ? [authority(2, two), authority(3, namesake)] : [authority(1, one)];
        await store.commit(set);
      }
      changing = false;
    })();
    while (changing) {
      let names: string[] = [];
      try {
        // As a reader that keeps the directory open: the path is resolved once
        names = readdirSync(path).filter((name) => name.endsWith('.pem'));
      } catch {
        assert.fail('the path led nowhere');
      }
      // A reader may also come while an old generation is being removed
      assert.ok(names.join() === '1.pem' || !names.includes('1.pem'), names.join());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await changes;
  });
});

describe('an authority directory whose generations somebody removed', () => {
  it('is in service whole or not at all when it is made again', async () => {
    await store.commit([authority(1, one), authority(2, two)]);
    const lost = readlinkSync(path);
    rmSync(`${path}.generations`, { recursive: true });
    await store.commit([authority(1, one), authority(2, two)]);
    assert.notEqual(readlinkSync(path), lost);
    assert.deepEqual(readdirSync(parent).sort(), ['authority', 'authority.generations']);
    assert.ok(isTrusted(one) && isTrusted(two));
  });
});

describe('the number of an authority', () => {
  const restarted = async () => {
    const again = new AuthorityDirectory(path);
    await again.load();
    return again;
  };

  it('begins with 1, and is used up by a change alone', async () => {
    assert.deepEqual([store.nextId, store.nextId], [1, 1]);
    await store.commit([authority(1, one)]);
    assert.equal(store.nextId, 2);
    await store.commit([authority(1, one), authority(2, two), authority(3, namesake)]);
    assert.equal(store.nextId, 4);
  });

  it('is never given out again after its certificate was deleted', async () => {
    await store.commit([authority(4, one)]);
    await store.commit([]);
    assert.equal((await restarted()).nextId, 5);
  });

  it('is on the disk before the certificate that has it', async () => {
    const restore = onDisk('rename', (real) => async (from, to) => {
      if (String(to) === path) throw diskError('EIO');
      return real(from, to);
    });
    try {
      await assert.rejects(store.commit([authority(1, one), authority(2, two)]));
    } finally {
      restore();
    }
    assert.equal((await restarted()).nextId, 3);
  });

  it('is not known before anything was read', async () => {
    const again = new AuthorityDirectory(path);
    assert.throws(() => again.nextId, refusal('storage'));
    await assert.rejects(again.commit([]), refusal('storage'));
  });

  it('is above all that are installed when the record of it is lost', async () => {
    await store.commit([authority(41, one), authority(7, two)]);
    rmSync(join(`${path}.generations`, 'next-id'));
    assert.equal((await restarted()).nextId, 42);
  });

  it('is never given out again when the generation in use is lost', async () => {
    await store.commit([authority(5, one)]);
    rmSync(join(`${path}.generations`, generations()[0] ?? ''), { recursive: true });
    assert.equal((await restarted()).nextId, 6);
  });
});

describe('a start', () => {
  it('removes generations that a crash left', async () => {
    await store.commit([authority(1, one)]);
    for (const stray of ['1', '99'])
      mkdirSync(join(`${path}.generations`, stray), { recursive: true });
    writeFileSync(join(`${path}.generations`, '99', '5.pem'), two.pem);
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(idsOf(authorities), [1]);
    assert.equal(generations().length, 1);
  });

  it('removes what a crash left of a generation that was being made, also when the link is lost', async () => {
    await store.commit([authority(1, one), authority(2, two)]);
    mkdirSync(join(`${path}.generations`, '99.new'));
    writeFileSync(join(`${path}.generations`, '99.new', '2.pem'), two.pem);
    rmSync(path);
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(idsOf(authorities), [1, 2]);
    assert.deepEqual(readdirSync(`${path}.generations`).length, 2);
    assert.ok(isTrusted(one) && isTrusted(two));
  });

  it('reports a file without a certificate, reads the others and leaves no link to it', async () => {
    await store.commit([authority(1, one), authority(2, two)]);
    writeFileSync(join(path, '1.pem'), 'garbage');
    const { authorities, unreadable } = await new AuthorityDirectory(path).load();
    assert.deepEqual(idsOf(authorities), [2]);
    assert.match(unreadable.join(), /\/1\.pem$/);
    assert.equal(readFileSync(join(path, 'trust_bundle'), 'utf8'), two.pem);
    assert.deepEqual([isTrusted(one), isTrusted(two)], [false, true]);
  });
});

describe('a change of one authority', () => {
  const cas = ['One', 'One', 'One', 'Two'].map((name) =>
    tools.issueCa({ subject: `/O=Same/CN=${name}` }),
  ) as [Issued, Issued, Issued, Issued];
  const leaves = cas.map((issuer) => tools.issue({ issuer, subject: '/CN=leaf' }));
  const trusted = () =>
    leaves.map(({ path: leaf }) => {
      const when = ['-attime', String(goodTime.getTime() / 1000), '-no-CAfile', '-no-CAstore'];
      return spawnSync('openssl', ['verify', ...when, '-CApath', path, leaf]).status === 0;
    });
  const all = cas.map((issued, at) => authority(at + 1, issued));
  const without = (...ids: number[]) => all.filter(({ id }) => !ids.includes(id));

  it('makes the next generation, with the files that stay', async () => {
    await store.commit(without(4));
    const generation = readlinkSync(path);
    const kept = statSync(join(path, '2.pem')).ino;
    await store.commit(all);
    assert.notEqual(readlinkSync(path), generation);
    assert.equal(statSync(join(path, '2.pem')).ino, kept);
    await store.commit(without(1));
    assert.deepEqual(trusted(), [false, true, true, true]);
    await store.commit(without(1, 4));
    assert.deepEqual(trusted(), [false, true, true, false]);
    assert.equal(readFileSync(join(path, 'trust_bundle'), 'utf8'), cas[1].pem + cas[2].pem);
  });

  it('writes them anew where the file system has no second names for them', async () => {
    await store.commit(without(4));
    const real = fs.linkSync;
    fs.linkSync = () => {
      throw diskError('EPERM');
    };
    syncBuiltinESMExports();
    try {
      await store.commit(all);
    } finally {
      fs.linkSync = real;
      syncBuiltinESMExports();
    }
    assert.deepEqual(trusted(), [true, true, true, true]);
  });

  for (const gone of [1, 2, 3]) {
    it(`leaves no gap in the links of one name when number ${gone} of three goes`, async () => {
      await store.commit(without(4));
      await store.commit(without(4, gone));
      assert.deepEqual(
        trusted(),
        [1, 2, 3, 4].map((id) => id !== gone && id !== 4),
      );
      const links = readdirSync(path).filter((name) => /\.\d+$/.test(name));
      assert.deepEqual(links.map((name) => name.split('.')[1]).sort(), ['0', '1']);
    });
  }
});
