import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { AccessSettings } from '../../../src/identity/accounts/access-settings.ts';
import { RenameFollower } from '../../../src/identity/accounts/rename-follower.ts';
import { AccountCertificates } from '../../../src/identity/peer-certificates/account-certificates.ts';
import { parseConfiguration } from '../../../src/platform/configuration.ts';
import { setUpAccess } from '../../../src/redfish/set-up/access.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { diskError } from '../../fakes/moody-disk.ts';

/** Each file without which nobody knows who may come in, and how. */
const files: Readonly<Record<string, (path: string) => unknown>> = {
  'access-settings.json': (path) => new AccessSettings(path, {} as never),
  'account-certificates.json': (path) =>
    new AccountCertificates(path, {
      perAccount: 1,
      accountCertificateBytes: 1,
      content: usualLimits,
    }),
  'accounts.json': (path) => accountsAt(path),
  'followed-renames.json': (path) => new RenameFollower(path, { error: () => undefined }),
};

describe('a start of the service whose disk does not read who may come in', () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'rules-'));
  after(() => fs.rmSync(directory, { recursive: true }));
  for (const [file, open] of Object.entries(files)) {
    it(`is none, rather than one under the rules that count without ${file}`, () => {
      const path = join(directory, file);
      fs.writeFileSync(path, '{}');
      const real = fs.readFileSync;
      fs.readFileSync = () => {
        throw diskError('EIO');
      };
      syncBuiltinESMExports();
      try {
        assert.throws(() => open(path), { name: 'SetupError', message: /cannot be read/ });
      } finally {
        fs.readFileSync = real;
        syncBuiltinESMExports();
      }
    });
  }
});

describe('a start of the service with a mistake in the list of client identities', () => {
  it('is none, and says where the mistake is', () => {
    const clientIdentities = { defaultIdentity: { mapType: 'specified' } };
    const configuration = parseConfiguration(JSON.stringify({ clientIdentities }), 'bmc.json');
    assert.throws(() => setUpAccess({ configuration } as never), {
      name: 'SetupError',
      message: /\/clientIdentities\/defaultIdentity\/name is required/,
    });
  });
});
