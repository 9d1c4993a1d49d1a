import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../src/core/cert-error.ts';
import { SetupError } from '../../src/core/setup-error.ts';
import { trustedBundle } from '../../src/gnoi/serving/trusted-bundle.ts';
import { makeCredential } from '../fakes/credentials.ts';

const log = {
  ...{ debug: () => undefined, info: () => undefined },
  ...{ warn: () => undefined, error: () => undefined },
};
const authority = makeCredential('CA').certificate;
const present = { authorities: () => [authority] };
const away = {
  authorities(): never {
    throw new CertError('unavailable', 'the manager is away');
  },
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the bundle by which clients are let in', () => {
  it('is the last one while the manager is away, and none before the first', async () => {
    assert.deepEqual(trustedBundle(away, directory, log).authorities, []);
    await trustedBundle(present, directory, log).settled();
    assert.deepEqual(trustedBundle(away, directory, log).authorities, [authority.pem]);
  });

  const spoilt: [string, (path: string) => void][] = [
    ['the disk does not read it', (path) => mkdirSync(path)],
    [
      'it is damaged',
      (path) => writeFileSync(path, authority.pem.replace('-----END', 'x'), { mode: 0o600 }),
    ],
  ];
  for (const [name, spoil] of spoilt)
    it(`is no empty one where ${name}: there is no service until the manager tells`, () => {
      spoil(join(directory, 'bundle.pem'));
      assert.throws(() => trustedBundle(away, directory, log), SetupError);
      assert.deepEqual(trustedBundle(present, directory, log).authorities, [authority.pem]);
    });
});
