import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { validateAccounts } from '../../schemas/generated/validators.js';
import { readState, StateFile, writeState } from '../../src/storage/state-file.ts';

describe('a file of state', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-state-'));
  after(() => rmSync(directory, { recursive: true }));
  const stored = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

  it('is for its owner only, in a directory that is made for it', async () => {
    const path = join(directory, 'below', 'state.json');
    await writeState(path, { secret: true });
    assert.deepEqual(stored(path), { secret: true });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(directory, 'below')).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(join(directory, 'below')), ['state.json']);
  });

  it('is changed by one after the other, each on what those before made', async () => {
    const path = join(directory, 'turns.json');
    const file = new StateFile(path, { count: 0 });
    const add = () => file.change(({ count }) => ({ count: count + 1 }));
    await Promise.all(Array.from({ length: 10 }, add));
    assert.deepEqual([file.value, stored(path)], [{ count: 10 }, { count: 10 }]);
  });

  it('has what it had when a change fails, and takes the next one', async () => {
    const path = join(directory, 'failing.json');
    const file = new StateFile(path, 1);
    await file.change(() => 2);
    const failing = file.change(() => {
      throw new Error('no');
    });
    const next = file.change((value) => value + 1);
    await assert.rejects(failing, /no/);
    assert.deepEqual([await next, file.value, stored(path)], [3, 3, 3]);
  });

  it('counts as it is on the disk: what cannot be written changes nothing', async () => {
    const blocked = join(directory, 'a-file');
    writeFileSync(blocked, '');
    const file = new StateFile(join(blocked, 'state.json'), 'old');
    await assert.rejects(file.change(() => 'new'));
    assert.equal(file.value, 'old');
  });

  it('stays as it is for as long as somebody depends on it', async () => {
    const file = new StateFile(join(directory, 'during.json'), 'first');
    let finish = () => undefined as unknown;
    const depending = file.during(async (value) => {
      await new Promise((resolve) => (finish = () => resolve(undefined)));
      return [value, file.value];
    });
    const change = file.change(() => 'second');
    await new Promise(setImmediate);
    finish();
    assert.deepEqual(await depending, ['first', 'first']);
    assert.equal(await change, 'second');
  });

  const form = { what: 'accounts', validator: validateAccounts };
  it('need not be there', () => {
    assert.equal(readState(join(directory, 'absent.json'), form), undefined);
  });

  for (const text of ['', 'junk', '{}', '[]', '{"accounts": 1}']) {
    it(`is refused by its name and what it should hold, but for its text: ${text || 'nothing'}`, () => {
      const path = join(directory, 'bad.json');
      writeFileSync(path, text);
      assert.throws(() => readState(path, form), {
        name: 'SetupError',
        message: `The file ${path} does not hold accounts.`,
      });
    });
  }

  it('is refused when it cannot be read', () => {
    assert.throws(() => readState(directory, form), /cannot be read/);
  });
});
