import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  noFollow,
  readRegularFile,
  readRegularFileSync,
  readStream,
  tryReadRegularFile,
} from '../../src/storage/regular-file.ts';

const root = mkdtempSync(join(tmpdir(), 'regular-file-'));
after(() => rmSync(root, { recursive: true }));
const at = (name: string) => join(root, name);

writeFileSync(at('file'), 'text');
writeFileSync(at('empty'), '');
mkdirSync(at('directory'));
symlinkSync(at('file'), at('link'));
symlinkSync('/dev/zero', at('endless'));
symlinkSync(at('absent'), at('dangling'));
spawnSync('mkfifo', [at('fifo')]);

describe('a regular file', () => {
  it('is read whole, also through a link', async () => {
    assert.equal(await readRegularFile(at('file')), 'text');
    assert.equal(await readRegularFile(at('link')), 'text');
  });

  const refused: readonly [string, string][] = [
    ['fifo', 'not-regular'],
    ['endless', 'not-regular'],
    ['directory', 'not-regular'],
    ['empty', 'empty'],
  ];
  for (const [name, reason] of refused) {
    it(`is refused at once as ${reason}: ${name}`, { timeout: 60_000 }, async () => {
      await assert.rejects(readRegularFile(at(name)), { reason });
    });
  }

  it('is refused when it is larger than the limit', async () => {
    assert.equal(await readRegularFile(at('file'), 4), 'text');
    await assert.rejects(readRegularFile(at('file'), 3), { reason: 'too-large' });
  });

  it('is nothing where there is none, and an empty text where it is empty', async () => {
    assert.equal(await tryReadRegularFile(at('absent')), undefined);
    assert.equal(await tryReadRegularFile(at('fifo')), undefined);
    assert.equal(await tryReadRegularFile(at('empty')), '');
  });

  it('is nothing behind a link that is not to be followed', async () => {
    assert.equal(await tryReadRegularFile(at('link'), noFollow), undefined);
  });

  const named: readonly [string, RegExp][] = [
    ['fifo', /^it is a FIFO and no regular file$/],
    ['endless', /^it is a device and no regular file$/],
    ['directory', /^it is a directory and no regular file$/],
    ['dangling', /^it is a symbolic link that leads nowhere$/],
  ];
  for (const [name, message] of named) {
    it(`is told from what stands in its place: ${name}`, { timeout: 60_000 }, () => {
      assert.throws(() => readRegularFileSync(at(name)), { name: 'FileRefusal', message });
    });
  }

  it('is read in one go, within its limit', () => {
    assert.equal(readRegularFileSync(at('file'), 4), 'text');
    assert.equal(readRegularFileSync(at('empty')), '');
    assert.throws(() => readRegularFileSync(at('file'), 3), /it is larger than 3 bytes/);
  });
});

describe('what a user names on a command line', () => {
  it('is read to its end, and no further than the limit', () => {
    assert.equal(readStream(at('file')).toString(), 'text');
    assert.throws(() => readStream(at('endless'), 1000), /it is larger than 1000 bytes/);
    assert.throws(() => readStream(at('directory')), { code: 'EISDIR' });
  });
});
