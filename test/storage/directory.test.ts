import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeDirectory } from '../../src/storage/directory.ts';
import { ownerOnly, readableByGroup, worldReadable } from '../../src/storage/file-mode.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();
const modeOf = (path: string) => statSync(path).mode & 0o7777;
/** The group that the process may hand files to for sure. */
const group = process.getgid?.() ?? 0;

describe('a new directory', () => {
  for (const [who, access, mode] of [
    ['the owner only', ownerOnly, 0o700],
    ['a group', readableByGroup(group), 0o750],
    ['everyone', worldReadable, 0o755],
  ] as const) {
    it(`lets in ${who} who may read its files`, async () => {
      const path = join(directory(), 'new');
      await makeDirectory(path, access);
      assert.equal(modeOf(path), mode);
    });
  }

  it('can be reached through every parent that was made with it', async () => {
    await makeDirectory(join(directory(), 'a', 'b'), readableByGroup(group));
    assert.equal(modeOf(join(directory(), 'a', 'b')), 0o750);
    assert.equal(modeOf(join(directory(), 'a')), 0o750);
  });

  it('keeps the mode of one that exists', async () => {
    const path = join(directory(), 'old');
    mkdirSync(path, { mode: 0o711 });
    await makeDirectory(path, ownerOnly);
    assert.equal(modeOf(path), 0o711);
  });
});
