import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withAccountsLocked } from '../../../src/identity/accounts/account-lock.ts';
import { removeStaleTempFiles } from '../../../src/redfish/set-up/remove-stale-temp-files.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

const directory = scratchDirectory();
const lines: string[] = [];
const note = (message: string) => lines.push(message);
const log = { debug: note, info: note, warn: note, error: note };
const leave = (...names: readonly string[]) => {
  for (const name of names) writeFileSync(join(directory(), name), 'x');
};
const unfinished = (name: string) => `.${name}.0123456789ab.new`;

describe('a start after a crash', () => {
  it('removes what the service left unfinished, and nothing of other programs', async () => {
    const kept = ['accounts.json', unfinished('server.pem'), unfinished('notes')];
    leave(
      ...kept,
      ...['accounts.json', 'users-source', 'events.json', 'last-good.pem'].map(unfinished),
    );
    await removeStaleTempFiles(directory(), log);
    assert.deepEqual(
      readdirSync(directory())
        .filter((name) => !name.endsWith('.lock'))
        .sort(),
      [...kept].sort(),
    );
    await removeStaleTempFiles(join(directory(), 'absent'), log);
    assert.deepEqual(lines, []);
  });

  it('does not touch what another program is about to make the file of accounts', async () => {
    const path = join(directory(), 'accounts.json');
    const name = unfinished('accounts.json');
    leave(name);
    let cleared: Promise<void> | undefined;
    await withAccountsLocked(path, async () => {
      cleared = removeStaleTempFiles(directory(), log);
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.ok(readdirSync(directory()).includes(name));
    });
    await cleared;
    assert.ok(!readdirSync(directory()).includes(name));
  });
});
