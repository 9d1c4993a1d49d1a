import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { RenameFollower } from '../../../src/identity/accounts/rename-follower.ts';
import type { Rename } from '../../../src/identity/accounts/user-directory.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

const scratch = scratchDirectory();
let path: string;
let lines: string[];
beforeEach(() => {
  path = join(scratch(), 'followed-renames.json');
  lines = [];
});

/** Users whose names change when a test says so. */
function users(...record: Rename[]) {
  let follow: (rename: Rename) => void = () => undefined;
  return {
    onRename(told: typeof follow) {
      follow = told;
      for (const rename of record) told(rename);
    },
    rename: (rename: Rename) => follow(rename),
  };
}
const open = () => new RenameFollower(path, { error: (line) => lines.push(line) });
const recorded = () => JSON.parse(readFileSync(path, 'utf8')).serial;
const first = { serial: 1, from: 'a', to: 'b' };

describe('what an edge has under the name of a user', () => {
  it('follows each new name at once, and once only', async () => {
    const seen: string[] = [];
    const keeper = users(first);
    const renames = open();
    renames.add(async (from, to) => void seen.push(`${from} ${to}`));
    renames.start(keeper);
    assert.deepEqual(seen, ['a b']);
    await renames.complete();
    keeper.rename({ serial: 2, from: 'b', to: 'c' });
    assert.deepEqual(seen, ['a b', 'b c']);
    // As after a new connection to the account manager
    keeper.rename(first);
    await renames.settle();
    assert.deepEqual(seen, ['a b', 'b c']);
    assert.equal(recorded(), 2);
  });

  it('follows at the next start the names that came while the edge did not run, and no others', async () => {
    const before = open();
    before.start(users(first));
    await before.complete();
    const seen: string[] = [];
    const renames = open();
    renames.add(async (from, to) => void seen.push(`${from} ${to}`));
    renames.start(users(first, { serial: 2, from: 'b', to: 'c' }));
    await renames.complete();
    assert.deepEqual(seen, ['b c']);
  });

  it('goes with an account that was removed while the edge did not run', async () => {
    const seen: unknown[] = [];
    const renames = open();
    renames.add(async (...names) => void seen.push(names));
    renames.start(users(first, { serial: 2, from: 'b', to: '' }));
    await renames.complete();
    assert.deepEqual(seen, [
      ['a', 'b'],
      ['b', undefined],
    ]);
  });

  it('is tried again when the disk failed, and again at the next start until then', async () => {
    let isFull = true;
    let tries = 0;
    const follower = async () => {
      tries += 1;
      if (isFull) throw new Error('no space');
    };
    const renames = open();
    renames.add(follower);
    renames.start(users(first));
    await assert.rejects(renames.complete(), /no space/);
    const again = open();
    again.add(follower);
    again.start(users(first));
    isFull = false;
    await assert.doesNotReject(again.complete().catch(() => again.settle()));
    assert.ok(tries >= 3, `${tries} tries`);
    assert.equal(recorded(), 1);
    await renames.settle();
  });

  it('is not done with before every follower is there', async () => {
    const seen: string[] = [];
    const renames = open();
    renames.start(users(first));
    await renames.settle();
    renames.add(async (from, to) => void seen.push(`${from} ${to}`));
    assert.deepEqual(seen, ['a b']);
    await renames.complete();
    assert.equal(recorded(), 1);
  });

  it('follows a name of which there is no record, such as one of the system', async () => {
    const seen: string[] = [];
    const keeper = users();
    const renames = open();
    renames.add(async (from, to) => void seen.push(`${from} ${to}`));
    renames.start(keeper);
    await renames.complete();
    for (const _ of [1, 2]) keeper.rename({ from: 'a', to: 'b' });
    await renames.settle();
    assert.deepEqual([seen, lines], [['a b', 'a b'], []]);
  });
});
