import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Quarantine } from '../../../src/manager/truststore/quarantine.ts';

describe('what is kept of others', () => {
  let directory: string;
  const place = () => join(directory, 'kept');
  const kept = () => readdirSync(place()).sort();
  const take = async (name: string, content = name) => {
    writeFileSync(join(directory, name), content);
    // Another each time, as after a start
    const files = new Quarantine(place(), { most: 2, warn: () => undefined });
    await files.take(join(directory, name));
    await files.removeOldest();
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bmc-kept-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is what came last, though the clock went back to its beginning', async () => {
    const { lstat } = promises;
    await take('a');
    await take('b');
    // Those that are here came when the clock was right
    Reflect.set(promises, 'lstat', async (...args: Parameters<typeof lstat>) => {
      const stat = await lstat(...args);
      const since = /\/[ab]\.[^/]*$/.test(String(args[0])) ? 2n : 1n;
      return Object.assign(stat, { ctimeNs: since });
    });
    syncBuiltinESMExports();
    try {
      await take('c');
      assert.deepEqual(kept(), ['b.~2~', 'c.~3~']);
      await take('d');
      assert.deepEqual(kept(), ['c.~3~', 'd.~4~']);
    } finally {
      Reflect.set(promises, 'lstat', lstat);
      syncBuiltinESMExports();
    }
  });

  it('goes first where an earlier version kept it', async () => {
    mkdirSync(place());
    for (const name of ['x.pem', 'x.pem-2']) writeFileSync(join(place(), name), name);
    await take('x.pem', 'new');
    assert.deepEqual([kept().length, kept().includes('x.pem.~1~')], [2, true]);
    await take('x.pem', 'newer');
    assert.deepEqual(kept(), ['x.pem.~1~', 'x.pem.~2~']);
  });

  it('has a name that is as long as names may be', async () => {
    await take('x'.repeat(255));
    await take('ä'.repeat(127));
    assert.deepEqual(
      kept().map((name) => name.replace(/.~\d~$/, '')),
      ['x'.repeat(76), 'ä'.repeat(76)],
    );
  });
});
