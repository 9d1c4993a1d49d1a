import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mustBeAscii } from '../../scripts/build.mjs';

const built = (name: string) => fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url));

describe('the bundles', () => {
  it('of the manager, the Redfish service and the CSR worker have 2.2 MB together at most', () => {
    const names = ['certificate-manager', 'redfish-server', 'csr-worker'];
    const bytes = names.map((name) => statSync(built(name)).size).reduce((a, b) => a + b);
    assert.ok(bytes <= 2_200_000, `${bytes} bytes`);
  });

  it('are not built with a character that makes V8 hold them twice as large', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bmc-bundle-'));
    try {
      const file = join(directory, 'program.js');
      writeFileSync(file, '// a dash: \u2013\n');
      await assert.rejects(mustBeAscii(file), /program\.js is not ASCII at byte 11/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
