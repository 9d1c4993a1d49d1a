import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { unfinishedName } from '../../src/durable/atomic-file.ts';
import { writeState } from '../../src/platform/state-file.ts';

describe('a file of state', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-state-'));
  after(() => rmSync(directory, { recursive: true }));

  it('is rid of what killed processes left half written, and of nothing else', async () => {
    const path = join(directory, 'events.json');
    for (let at = 0; at < 3; at += 1) writeFileSync(unfinishedName(path), '{"half');
    const other = unfinishedName(join(directory, 'server.pem'));
    writeFileSync(other, 'of another program, which is at it');
    writeFileSync(join(directory, '.events.json.new'), 'of somebody');
    await Promise.all([writeState(path, { at: 1 }), writeState(path, { at: 2 })]);
    await writeState(path, { at: 3 });
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { at: 3 });
    const left = readdirSync(directory).map((name) => join(directory, name));
    assert.deepEqual(left.sort(), [join(directory, '.events.json.new'), other, path].sort());
  });
});
