import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import {
  clearAllUnfinished,
  clearUnfinished,
  everyone,
  exists,
  makeDirectory,
  ownerOnly,
  readableByGroup,
  removeSynced,
  renameSynced,
  tighten,
  writeFileAtomic,
  writeNewFile,
} from '../../src/durable/atomic-file.ts';

const root = mkdtempSync(join(tmpdir(), 'atomic-file-'));
after(() => rmSync(root, { recursive: true }));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(root, 'case-'));
});

const modeOf = (path: string) => statSync(path).mode & 0o7777;
/** The group that the process may hand files to for sure. */
const group = process.getgid?.() ?? 0;

describe('an atomic write', () => {
  it('creates a file and replaces one', async () => {
    const path = join(directory, 'file');
    await writeFileAtomic(path, 'one', ownerOnly);
    await writeFileAtomic(path, 'two', ownerOnly);
    assert.equal(readFileSync(path, 'utf8'), 'two');
    assert.deepEqual(readdirSync(directory), ['file']);
  });

  for (const [who, access, mode] of [
    ['the owner only', ownerOnly, 0o600],
    ['a group', readableByGroup(group), 0o640],
    ['no group when none is configured', readableByGroup(undefined), 0o600],
    ['everyone', everyone, 0o644],
  ] as const) {
    it(`makes a file for ${who}, whatever its mode was and whatever the umask is`, async () => {
      const path = join(directory, 'file');
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
    const path = join(directory, 'file');
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
    mkdirSync(join(directory, 'target'));
    await assert.rejects(writeFileAtomic(join(directory, 'target'), 'new', ownerOnly), {
      code: 'EISDIR',
    });
    assert.deepEqual(readdirSync(directory), ['target']);
  });

  it('leaves nothing when the access cannot be granted', async () => {
    const path = join(directory, 'file');
    const impossible = { mode: 0o640, group: -2 };
    await assert.rejects(writeFileAtomic(path, 'secret', impossible));
    assert.deepEqual(readdirSync(directory), []);
  });

  it('fails when there is no directory to write to', async () => {
    const path = join(directory, 'absent', 'file');
    await assert.rejects(writeFileAtomic(path, 'new', ownerOnly), { code: 'ENOENT' });
  });
});

/** No disk here fails on demand: the next syncs of directories reject, as many as are given. */
async function failingSyncs(many: number, work: () => Promise<void>): Promise<void> {
  const handle = await open(root, 'r');
  const prototype: { sync(this: FileHandle): Promise<void> } = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  let left = many;
  prototype.sync = async function (this: FileHandle) {
    if (left === 0 || !(await this.stat()).isDirectory()) return sync.call(this);
    left -= 1;
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
  const file = () => join(directory, 'file');

  it('keeps the old content with its mode, and the write is refused', async () => {
    writeFileSync(file(), 'old', { mode: 0o640 });
    await failingSyncs(1, () => refused(writeFileAtomic(file(), 'new', ownerOnly)));
    assert.equal(readFileSync(file(), 'utf8'), 'old');
    assert.equal(modeOf(file()), 0o640);
    assert.deepEqual(readdirSync(directory), ['file']);
  });

  it('has no file where there was none', async () => {
    await failingSyncs(1, () => refused(writeFileAtomic(file(), 'new', ownerOnly)));
    assert.deepEqual(readdirSync(directory), []);
  });

  it('keeps a link that was to lead elsewhere', async () => {
    symlinkSync('old', file());
    symlinkSync('new', join(directory, 'aside'));
    await failingSyncs(1, () => refused(renameSynced(join(directory, 'aside'), file())));
    assert.equal(readlinkSync(file()), 'old');
  });

  it('keeps the name of a directory that was to get another one', async () => {
    mkdirSync(file());
    await failingSyncs(1, () => refused(renameSynced(file(), join(directory, 'other'))));
    assert.deepEqual(readdirSync(directory), ['file']);
  });

  it('keeps what was to be removed', async () => {
    writeFileSync(file(), 'old');
    await failingSyncs(1, () => refused(removeSynced(file())));
    assert.equal(readFileSync(file(), 'utf8'), 'old');
    assert.deepEqual(readdirSync(directory), ['file']);
  });

  it('refuses the change also when it cannot sync the undoing either', async () => {
    writeFileSync(file(), 'old');
    await failingSyncs(2, () => refused(writeFileAtomic(file(), 'new', ownerOnly)));
    assert.equal(readFileSync(file(), 'utf8'), 'old');
  });
});

describe('a removal', () => {
  it('is content with a file, a link that leads nowhere, and nothing', async () => {
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('nowhere', join(directory, 'link'));
    for (const name of ['file', 'link', 'nothing']) await removeSynced(join(directory, name));
    assert.deepEqual(readdirSync(directory), []);
  });

  it('leaves a directory where it is, with what is in it', async () => {
    mkdirSync(join(directory, 'file'));
    writeFileSync(join(directory, 'file', 'inside'), '');
    await assert.rejects(removeSynced(join(directory, 'file')), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(join(directory, 'file')), ['inside']);
  });
});

describe('the rights of a file', () => {
  const file = () => join(directory, 'key');

  it('are taken from whom its access does not name', async () => {
    writeFileSync(file(), 'key');
    chmodSync(file(), 0o644);
    await tighten(file(), ownerOnly);
    assert.equal(modeOf(file()), 0o600);
  });

  it('go to another group when another one is configured', {
    skip: process.getuid?.() !== 0 && 'only root gives files away',
  }, async () => {
    writeFileSync(file(), 'key', { mode: 0o640 });
    await tighten(file(), readableByGroup(4711));
    assert.deepEqual([modeOf(file()), statSync(file()).gid], [0o640, 4711]);
  });

  it('stay those of a file that a link leads to', async () => {
    writeFileSync(join(directory, 'target'), '', { mode: 0o644 });
    symlinkSync('target', file());
    await tighten(file(), ownerOnly);
    assert.equal(modeOf(join(directory, 'target')), 0o644);
  });
});

describe('a new file', () => {
  it('is 0600 from its first byte', async () => {
    const path = join(directory, 'key');
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
    const path = join(directory, 'file');
    writeFileSync(path, 'old');
    await assert.rejects(writeNewFile(path, 'new', everyone), { code: 'EEXIST' });
    assert.equal(readFileSync(path, 'utf8'), 'old');
  });
});

describe('a new directory', () => {
  for (const [who, access, mode] of [
    ['the owner only', ownerOnly, 0o700],
    ['a group', readableByGroup(group), 0o750],
    ['everyone', everyone, 0o755],
  ] as const) {
    it(`lets in ${who} who may read its files`, async () => {
      const path = join(directory, 'new');
      await makeDirectory(path, access);
      assert.equal(modeOf(path), mode);
    });
  }

  it('can be reached through every parent that was made with it', async () => {
    await makeDirectory(join(directory, 'a', 'b'), readableByGroup(group));
    assert.equal(modeOf(join(directory, 'a', 'b')), 0o750);
    assert.equal(modeOf(join(directory, 'a')), 0o750);
  });

  it('keeps the mode of one that exists', async () => {
    const path = join(directory, 'old');
    mkdirSync(path, { mode: 0o711 });
    await makeDirectory(path, ownerOnly);
    assert.equal(modeOf(path), 0o711);
  });
});

describe('exists', () => {
  it('tells files and directories from nothing', async () => {
    assert.equal(await exists(directory), true);
    assert.equal(await exists(join(directory, 'absent')), false);
  });
});

describe('what a crash left beside a file', () => {
  it('is left alone where it is a directory', async () => {
    const name = '.file.0123456789ab.new';
    mkdirSync(join(directory, name));
    await clearUnfinished(join(directory, 'file'));
    await clearAllUnfinished(directory);
    assert.deepEqual(readdirSync(directory), [name]);
  });

  it('is cleared by its exact name, and nothing else', async () => {
    const kept = ['.server.pem', '.server.pem.new', '.other.pem.0123456789ab.new', 'server.pem'];
    for (const name of [...kept, '.server.pem.0123456789ab.new']) {
      writeFileSync(join(directory, name), 'x');
    }
    await clearUnfinished(join(directory, 'server.pem'));
    assert.deepEqual(readdirSync(directory).sort(), [...kept].sort());
  });

  it('are removed of every file of a directory, and nothing else is', async () => {
    const kept = ['accounts.json', '.accounts.json.0123456789ab', 'x.0123456789ab.new', '.new'];
    const left = ['.accounts.json.0123456789ab.new', '.users-source.abcdef012345.new'];
    for (const name of [...kept, ...left]) writeFileSync(join(directory, name), 'x');
    await clearAllUnfinished(directory);
    assert.deepEqual(readdirSync(directory).sort(), [...kept].sort());
    await clearAllUnfinished(join(directory, 'absent'));
  });
});
