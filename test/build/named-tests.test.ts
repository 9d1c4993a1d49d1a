import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../scripts/test.mjs', import.meta.url));

describe('npm test with paths', () => {
  for (const path of ['test/no-such.test.ts', 'src/core', 'test/fakes/refusal.ts']) {
    it(`runs nothing for ${path}, which has no test, and says so`, () => {
      const { status, stderr } = spawnSync(process.execPath, [script, path], { encoding: 'utf8' });
      assert.equal(stderr, `${path} is no test, and no folder that has one.\n`);
      assert.equal(status, 1);
    });
  }
});
