import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  removeSynced,
  renameSynced,
  writeFileAtomic,
  writeNewFile,
} from '../../src/storage/atomic-file.ts';
import { ownerOnly, readableByGroup, worldReadable } from '../../src/storage/file-mode.ts';
import { exists } from '../../src/storage/io-errors.ts';
import { diskError, onDisk } from '../fakes/moody-disk.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();

const modeOf = (path: string) => statSync(path).mode & 0o7777;
/** The group that the process may hand files to for sure. */
const group = process.getgid?.() ?? 0;

describe('an atomic write', () => {
  it('creates a file and replaces one', async () => {
    const path = join(directory(), 'file');
    await writeFileAtomic(path, 'one', ownerOnly);
    await writeFileAtomic(path, 'two', ownerOnly);
    assert.equal(readFileSync(path, 'utf8'), 'two');
    assert.deepEqual(readdirSync(directory()), ['file']);
  });

  for (const [who, access, mode] of [
    ['the owner only', ownerOnly, 0o600],
    ['a group', readableByGroup(group), 0o640],
    ['no group when none is configured', readableByGroup(undefined), 0o600],
    ['everyone', worldReadable, 0o644],
  ] as const) {
    it(`makes a file for ${who}, whatever its mode was and whatever the umask is`, async () => {
      const path = join(directory(), 'file');
      writeFileSync(path, 'old');
      chmodSync(path, 0o666);
      const umask = process.umask(0o077);
      try {
        await writeFileAtomic(path, 'new', access);
      } finally {
        process.umask(umask);
      }
      assert.equal(modeOf(path), mode);
      assert.equal(statSync(path).gid, group);
    });
  }

  it('never shows a reader anything but one whole content', async () => {
    const path = join(directory(), 'file');
    const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000));
    await writeFileAtomic(path, contents[0] ?? '', ownerOnly);
    let writing = true;
    const writer = (async () => {
      for (const content of contents) await writeFileAtomic(path, content, ownerOnly);
      writing = false;
    })();
    while (writing) {
      assert.ok(contents.includes(readFileSync(path, 'utf8')));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writer;
  });

  it('leaves the old content and nothing else when the target cannot be replaced', async () => {
    mkdirSync(join(directory(), 'target'));
    await assert.rejects(writeFileAtomic(join(directory(), 'target'), 'new', ownerOnly), {
      code: 'EISDIR',
    });
    assert.deepEqual(readdirSync(directory()), ['target']);
  });

  it('leaves nothing when the access cannot be granted', async () => {
    const path = join(directory(), 'file');
    const impossible = { mode: 0o640, group: -2 };
    await assert.rejects(writeFileAtomic(path, 'secret', impossible));
    assert.deepEqual(readdirSync(directory()), []);
  });

  it('fails when there is no directory to write to', async () => {
    const path = join(directory(), 'absent', 'file');
    await assert.rejects(writeFileAtomic(path, 'new', ownerOnly), { code: 'ENOENT' });
  });
});

/** No disk here fails on demand: the next syncs of directories reject, as many as are given. */
async function failingSyncs(
  many: number,
  work: () => Promise<void>,
  meanwhile: () => void = () => undefined,
): Promise<void> {
  const handle = await open(directory(), 'r');
  const prototype: { sync(this: FileHandle): Promise<void> } = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  let left = many;
  prototype.sync = async function (this: FileHandle) {
    if (left === 0 || !(await this.stat()).isDirectory()) return sync.call(this);
    left -= 1;
    meanwhile();
    throw Object.assign(new Error('EIO: of the test'), { code: 'EIO' });
  };
  try {
    await work();
  } finally {
    prototype.sync = sync;
  }
  assert.equal(left, 0, 'nothing was synced');
}

describe('a directory that cannot be synced', () => {
  const refused = (change: Promise<void>) => assert.rejects(change, { code: 'EIO' });
  const file = () => join(directory(), 'file');

  it('keeps the old content with its mode, and the write is refused', async () => {
    writeFileSync(file(), 'old', { mode: 0o640 });
    await failingSyncs(1, () => refused(writeFileAtomic(file(), 'new', ownerOnly)));
    assert.equal(readFileSync(file(), 'utf8'), 'old');
    assert.equal(modeOf(file()), 0o640);
    assert.deepEqual(readdirSync(directory()), ['file']);
  });

  it('has no file where there was none', async () => {
    await failingSyncs(1, () => refused(writeFileAtomic(file(), 'new', ownerOnly)));
    assert.deepEqual(readdirSync(directory()), []);
  });

  it('keeps a link that was to lead elsewhere', async () => {
    symlinkSync('old', file());
    symlinkSync('new', join(directory(), 'aside'));
    await failingSyncs(1, () => refused(renameSynced(join(directory(), 'aside'), file())));
    assert.equal(readlinkSync(file()), 'old');
  });

  it('keeps the name of a directory that was to get another one', async () => {
    mkdirSync(file());
    await failingSyncs(1, () => refused(renameSynced(file(), join(directory(), 'other'))));
    assert.deepEqual(readdirSync(directory()), ['file']);
  });

  it('keeps what was to be removed', async () => {
    writeFileSync(file(), 'old');
    await failingSyncs(1, () => refused(removeSynced(file())));
    assert.equal(readFileSync(file(), 'utf8'), 'old');
    assert.deepEqual(readdirSync(directory()), ['file']);
  });

  it('refuses the change also when it cannot sync the undoing either', async () => {
    writeFileSync(file(), 'old');
    await failingSyncs(2, () => refused(writeFileAtomic(file(), 'new', ownerOnly)));
    assert.equal(readFileSync(file(), 'utf8'), 'old');
  });
});

describe('a change that can neither be synced nor taken back', () => {
  for (const [what, change, content] of [
    ['a write', (path: string) => writeFileAtomic(path, 'new', ownerOnly), 'new'],
    ['a removal', removeSynced, undefined],
  ] as const) {
    it(`is done, as ${what}, with a warning that it may not last`, async () => {
      const path = join(directory(), 'file');
      writeFileSync(path, 'old');
      const loseOld = () => {
        for (const name of readdirSync(directory())) {
          if (name.endsWith('.new')) rmSync(join(directory(), name));
        }
      };
      const warned = once(process, 'warning');
      await failingSyncs(1, () => change(path), loseOld);
      const [warning] = await warned;
      assert.match(String(warning), /may not survive a power cut/);
      assert.equal(existsSync(path) ? readFileSync(path, 'utf8') : undefined, content);
      assert.equal(readdirSync(directory()).length, content === undefined ? 0 : 1);
    });
  }
});

describe('a removal', () => {
  it('is content with a file, a link that leads nowhere, and nothing', async () => {
    writeFileSync(join(directory(), 'file'), '');
    symlinkSync('nowhere', join(directory(), 'link'));
    for (const name of ['file', 'link', 'nothing']) await removeSynced(join(directory(), name));
    assert.deepEqual(readdirSync(directory()), []);
  });

  it('leaves nothing of an old key although the disk refuses to let go of it twice', async () => {
    writeFileSync(join(directory(), 'key'), 'old');
    let asked = 0;
    const restore = onDisk('rm', (real) => async (...which) => {
      asked += 1;
      if (asked < 3) throw diskError('EIO');
      return real(...which);
    });
    await removeSynced(join(directory(), 'key')).finally(restore);
    assert.deepEqual([asked, readdirSync(directory())], [3, []]);
  });

  it('leaves a directory where it is, with what is in it', async () => {
    mkdirSync(join(directory(), 'file'));
    writeFileSync(join(directory(), 'file', 'inside'), '');
    await assert.rejects(removeSynced(join(directory(), 'file')), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(join(directory(), 'file')), ['inside']);
  });
});

describe('a new file', () => {
  it('is 0600 from its first byte', async () => {
    const path = join(directory(), 'key');
    const modes = new Set<number>();
    let writing = true;
    const umask = process.umask(0);
    try {
      const written = writeNewFile(path, 'x'.repeat(4_000_000), ownerOnly).finally(() => {
        writing = false;
      });
      while (writing) {
        if (await exists(path)) modes.add(modeOf(path));
      }
      await written;
    } finally {
      process.umask(umask);
    }
    modes.add(modeOf(path));
    assert.deepEqual([...modes], [0o600]);
  });

  it('never takes the place of one that exists', async () => {
    const path = join(directory(), 'file');
    writeFileSync(path, 'old');
    await assert.rejects(writeNewFile(path, 'new', worldReadable), { code: 'EEXIST' });
    assert.equal(readFileSync(path, 'utf8'), 'old');
  });
});
