import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseConfiguration } from '../../../src/platform/configuration.ts';
import { Sessions } from '../../../src/redfish/sessions/sessions.ts';
import { keepSessions } from '../../../src/redfish/set-up/kept-sessions.ts';

const limits = { sessions: 9, perUser: 9, idleMilliseconds: () => 60_000 };

describe('the sessions of a service that was closed', () => {
  it('are written by it for the last time, even where that finds that some have ended', async (t) => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'sessions-'));
    t.after(() => rmSync(stateDirectory, { recursive: true }));
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const lines: string[] = [];
    const note = (message: string) => lines.push(message);
    const log = { debug: note, info: note, warn: note, error: note };
    const stamps = new Map([
      ['admin', 'first'],
      ['operator', 'first'],
    ]);
    const sessions = new Sessions(limits, undefined, (userName) => stamps.get(userName));
    const document = JSON.stringify({ redfish: { directory: stateDirectory } });
    const configuration = parseConfiguration(document, 'of a test');
    const kept = keepSessions(configuration, sessions, log);
    for (const userName of stamps.keys()) sessions.create({ userName, address: '192.0.2.1' });
    // Another program removed the account
    stamps.delete('operator');
    await kept.close();
    const path = join(stateDirectory, 'sessions.json');
    assert.deepEqual(
      [...readFileSync(path, 'utf8').matchAll(/"userName": "(\w+)"/g)].map(([, name]) => name),
      ['admin'],
    );
    // Other accounts count by now, and whatever writes the file is told that it cannot
    stamps.clear();
    rmSync(stateDirectory, { recursive: true });
    writeFileSync(stateDirectory, '');
    t.mock.timers.tick(60_000);
    await assert.rejects(kept.store());
    assert.deepEqual(lines, []);
  });
});
