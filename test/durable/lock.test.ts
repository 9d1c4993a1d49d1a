import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Lock, type LockedPath, lock, type NoLock } from '../../src/durable/lock.ts';
import { scratchDirectory } from './scratch.ts';

const directory = scratchDirectory();

function held(answer: Lock | NoLock): Lock {
  assert.ok(typeof answer === 'object', `it is ${String(answer)}`);
  return answer;
}

describe('a lock', () => {
  const kinds: readonly (readonly [string, () => LockedPath])[] = [
    ['a directory', () => ({ directory: directory() })],
    ['a file', () => ({ file: join(directory(), 'x.lock') })],
  ];
  for (const [what, path] of kinds) {
    it(`of ${what} is of one at a time`, async () => {
      const first = held(await lock(path()));
      assert.equal(await lock(path()), 'taken');
      assert.equal(await lock(path(), 50), 'taken');
      first.release();
      held(await lock(path())).release();
    });

    it(`of ${what} ends with the program that has it, however that ends`, async () => {
      const at = path();
      const name = 'file' in at ? at.file : at.directory;
      const other = spawn('flock', [name, '-c', 'echo locked; exec sleep 100'], {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      await once(other.stdout, 'data');
      assert.equal(await lock(at), 'taken');
      // Its shell has the file open, too
      process.kill(-(other.pid ?? 0), 'SIGKILL');
      await once(other, 'exit');
      held(await lock(at, 1000)).release();
    });
  }

  it('is waited for', async () => {
    const path = { directory: directory() };
    const first = held(await lock(path));
    const second = lock(path, 10_000);
    setTimeout(() => first.release(), 50);
    held(await second).release();
  });

  it('is of a file that whoever comes into its directory may lock, too', async () => {
    const file = join(directory(), 'x.lock');
    const umask = process.umask(0o077);
    const locked = await lock({ file }).finally(() => process.umask(umask));
    held(locked).release();
    assert.equal(statSync(file).mode & 0o777, 0o644);
  });

  it('cannot be had of what is not there, nor without the program that gives it', async () => {
    assert.equal(await lock({ directory: join(directory(), 'absent') }), 'unable');
    assert.equal(await lock({ file: join(directory(), 'absent', 'x') }), 'unable');
    const { PATH } = process.env;
    process.env.PATH = '/nowhere';
    try {
      assert.equal(await lock({ directory: directory() }), 'unable');
    } finally {
      process.env.PATH = PATH;
    }
  });
});
