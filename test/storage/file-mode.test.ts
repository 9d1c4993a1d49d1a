import assert from 'node:assert/strict';
import { chmodSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { applyFileMode, ownerOnly, readableByGroup } from '../../src/storage/file-mode.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();
const modeOf = (path: string) => statSync(path).mode & 0o7777;

describe('the rights of a file', () => {
  const file = () => join(directory(), 'key');

  it('are taken from whom its access does not name', async () => {
    writeFileSync(file(), 'key');
    chmodSync(file(), 0o644);
    await applyFileMode(file(), ownerOnly);
    assert.equal(modeOf(file()), 0o600);
  });

  it('are given to the group that its access names', async () => {
    writeFileSync(file(), 'key', { mode: 0o600 });
    await applyFileMode(file(), readableByGroup(process.getgid?.() ?? 0));
    assert.equal(modeOf(file()), 0o640);
  });

  it('go to another group when another one is configured', {
    skip: process.getuid?.() !== 0 && 'only root gives files away',
  }, async () => {
    writeFileSync(file(), 'key', { mode: 0o640 });
    await applyFileMode(file(), readableByGroup(4711));
    assert.deepEqual([modeOf(file()), statSync(file()).gid], [0o640, 4711]);
  });

  it('stay those of a file that a link leads to', async () => {
    writeFileSync(join(directory(), 'target'), '', { mode: 0o644 });
    symlinkSync('target', file());
    await applyFileMode(file(), ownerOnly);
    assert.equal(modeOf(join(directory(), 'target')), 0o644);
  });
});
