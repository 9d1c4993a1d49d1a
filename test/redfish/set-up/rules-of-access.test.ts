import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AccessSettings } from '../../../src/identity/accounts/access-settings.ts';
import { RenameFollower } from '../../../src/identity/accounts/rename-follower.ts';
import { AccountCertificates } from '../../../src/identity/peer-certificates/account-certificates.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { run } from '../../e2e/commands.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { diskError } from '../../fakes/moody-disk.ts';

const program = fileURLToPath(new URL('../../../dist/redfish-server.js', import.meta.url));

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

describe('a start of the service with a mistake that only the service can find', () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'mistake-'));
  after(() => fs.rmSync(directory, { recursive: true }));
  const mistakes: readonly [string, object, RegExp][] = [
    [
      'in the list of client identities',
      { clientIdentities: { defaultIdentity: { mapType: 'specified' } } },
      /\/clientIdentities\/defaultIdentity\/name .* is required/,
    ],
    [
      'in the name of the endpoint that it shows',
      { redfish: { endpoint: 'web' } },
      /\/redfish\/endpoint .*is web, which is no server endpoint/,
    ],
  ];
  for (const [where, configuration, says] of mistakes) {
    it(`is none, and says where the mistake is: ${where}`, async () => {
      const file = join(directory, 'bmc.json');
      fs.writeFileSync(file, JSON.stringify(configuration));
      const { status, stdout, stderr } = await run(process.execPath, [program, '--config', file]);
      assert.equal(status, 1);
      assert.match(stdout + stderr, says);
    });
  }
});
