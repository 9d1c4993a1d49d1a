import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
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
    const kept = ['notes', unfinished('server.pem'), unfinished('notes')];
    leave(
      ...kept,
      ...['followed-renames.json', 'users-source', 'events.json', 'last-good.pem'].map(unfinished),
    );
    await removeStaleTempFiles(directory(), log);
    assert.deepEqual(readdirSync(directory()).sort(), [...kept].sort());
    await removeStaleTempFiles(join(directory(), 'absent'), log);
    assert.deepEqual(lines, []);
  });
});
