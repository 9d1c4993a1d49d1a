import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../e2e/commands.ts';

const clone = fileURLToPath(new URL('../..', import.meta.url));

interface LockedPackage {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly integrity?: string;
}

const lockfile = JSON.parse(readFileSync(`${clone}package-lock.json`, 'utf8'));
const locked: [string, LockedPackage][] = Object.entries(lockfile.packages);

describe('the lockfile', () => {
  it('fits package.json, so that npm ci takes it without asking the registry', async () => {
    const { status, stderr } = await run('npm', [
      '--prefix',
      clone,
      'ci',
      '--dry-run',
      '--offline',
    ]);
    assert.equal(status, 0, stderr);
  });

  it('names no download address', () => {
    const addresses = locked.filter(([, { resolved, link }]) => resolved && !link);
    assert.deepEqual(addresses, []);
  });

  it('has a digest of every package that comes from a registry', () => {
    const unsigned = locked.filter(([path, { integrity, link }]) => {
      return path.includes('node_modules/') && !link && !integrity?.startsWith('sha512-');
    });
    assert.deepEqual(unsigned, []);
  });

  for (const name of ['usocket', 'xml2js', 'event-stream', 'hexy']) {
    it(`has an empty package in place of ${name}, which nothing needs`, () => {
      const copies = locked.filter(([path]) => path.endsWith(`node_modules/${name}`));
      assert.deepEqual(copies, [
        [`node_modules/${name}`, { resolved: `stubs/${name}`, link: true }],
      ]);
    });
  }

  it('has nothing that compiles native code or downloads it', () => {
    const names = /node_modules\/(nan|node-gyp|node-gyp-build|bindings|request|node-addon-api)$/;
    assert.deepEqual(
      locked.map(([path]) => path).filter((path) => names.test(path)),
      [],
    );
  });
});
