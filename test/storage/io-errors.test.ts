import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { exists } from '../../src/storage/io-errors.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();

describe('exists', () => {
  it('tells files and directories from nothing', async () => {
    assert.equal(await exists(directory()), true);
    assert.equal(await exists(join(directory(), 'absent')), false);
  });
});
