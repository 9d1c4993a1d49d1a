import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { modificationTime, setModificationTime } from '../../src/storage/modification-time.ts';

const directory = mkdtempSync(join(tmpdir(), 'bmc-times-'));
const path = join(directory, 'file');
writeFileSync(path, '');
after(() => rmSync(directory, { recursive: true }));

test('a time that was read can be given to a file to the microsecond', async () => {
  const microseconds = fc.bigInt({ min: 1n, max: 4_000_000_000_000_000n });
  await fc.assert(
    fc.asyncProperty(microseconds, async (time) => {
      await setModificationTime(path, time * 1000n);
      assert.equal(modificationTime(path), time * 1000n);
    }),
  );
});

test('a file that is not there has no time', () => {
  assert.equal(modificationTime(join(directory, 'other')), 0n);
});
