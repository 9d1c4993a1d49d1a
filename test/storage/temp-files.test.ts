import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { removeTempFiles } from '../../src/storage/temp-files.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();

describe('what a crash left beside a file', () => {
  it('is left alone where it is a directory', async () => {
    const name = '.file.0123456789ab.new';
    mkdirSync(join(directory(), name));
    await removeTempFiles(join(directory(), 'file'));
    assert.deepEqual(readdirSync(directory()), [name]);
  });

  it('is cleared by its exact name, and nothing else', async () => {
    const kept = ['.server.pem', '.server.pem.new', '.other.pem.0123456789ab.new', 'server.pem'];
    for (const name of [...kept, '.server.pem.0123456789ab.new']) {
      writeFileSync(join(directory(), name), 'x');
    }
    await removeTempFiles(join(directory(), 'server.pem'));
    assert.deepEqual(readdirSync(directory()).sort(), [...kept].sort());
    await removeTempFiles(join(directory(), 'absent', 'server.pem'));
  });
});
