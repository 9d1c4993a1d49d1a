import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { AccessSettings } from '../../../src/identity/accounts/access-settings.ts';

const defaults = {
  basicAuth: 'Enabled',
  sessionSeconds: 60,
} as const;

const logins = ['{}', '{"enabled":true,"respond":false,"mapping":"Half"}'].map(
  (login) => `{"clientCertificates":${login}}`,
);

describe('the settings of access', () => {
  const directory = mkdtempSync(join(tmpdir(), 'settings-'));
  const path = join(directory, 'deep/access-settings.json');

  after(() => rmSync(directory, { recursive: true }));

  const login = { enabled: true, respond: false, mapping: 'Whole' } as const;

  it('survive a restart, and what nobody set follows the configuration', async () => {
    const settings = new AccessSettings(path, defaults);
    await Promise.all([
      settings.change(() => ({ sessionSeconds: 90 })),
      settings.change(() => ({ basicAuth: 'Disabled' })),
      settings.change(() => ({ clientCertificates: login })),
    ]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const again = new AccessSettings(path, defaults);
    const expected = { sessionSeconds: 90, basicAuth: 'Disabled' };
    const sessionWays = { cookie: true, sessionToken: true, xToken: true };
    assert.deepEqual(again.policy, { ...defaults, ...expected, sessionWays });
    assert.deepEqual(again.clientCertificates, login);
  });

  it('stay as they are when a change is refused', async () => {
    const settings = new AccessSettings(path, defaults);
    const refuse = () => {
      throw new RangeError('no');
    };
    await assert.rejects(settings.change(refuse), RangeError);
    assert.equal(settings.policy.sessionSeconds, 90);
    assert.equal(new AccessSettings(path, defaults).policy.sessionSeconds, 90);
  });

  for (const text of ['', '[]', '{"sessionSeconds":1}', '{"other":1}', ...logins]) {
    it(`refuse a file with ${text || 'nothing'} in it`, () => {
      writeFileSync(path, text);
      assert.throws(() => new AccessSettings(path, defaults), { name: 'SetupError' });
    });
  }
});
