import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Textfile } from '../../src/metrics/textfile.ts';
import { until } from '../e2e/commands.ts';

describe('the textfile', () => {
  let directory: string;
  let path: string;
  let textfile: Textfile;
  let looks: number;
  let logged: string[];
  const world = { text: 'a 1\n', elapsed: 0, fails: false };
  const every = 5;
  const refresh = 1000;
  const note = (message: string, fields: object = {}) => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bmc-textfile-'));
    path = join(directory, 'bmc-certificates.prom');
    looks = 0;
    logged = [];
    Object.assign(world, { text: 'a 1\n', elapsed: 0, fails: false });
    textfile = new Textfile({
      async text() {
        looks += 1;
        if (world.fails) throw new Error('no text');
        return world.text;
      },
      elapsed: () => world.elapsed,
      log: { info: note, warn: note, error: note },
    });
  });
  afterEach(async () => {
    await textfile.follow(undefined);
    rmSync(directory, { recursive: true, force: true });
  });

  const content = () => readFileSync(path, 'utf8');
  /** When as many further looks have ended. */
  const looked = (more: number) => {
    const wanted = looks + more + 1;
    return until('it looks', () => looks >= wanted);
  };

  it('is there at once, readable by all, and alone', async () => {
    await textfile.follow({ path, every, refresh });
    assert.equal(content(), 'a 1\n');
    assert.equal(statSync(path).mode & 0o7777, 0o644);
    assert.deepEqual(readdirSync(directory), ['bmc-certificates.prom']);
  });

  it('is written anew when there is something new, as another file', async () => {
    await textfile.follow({ path, every, refresh });
    const { ino } = statSync(path);
    world.text = 'a 2\n';
    await until('it is written', () => content() === 'a 2\n');
    assert.notEqual(statSync(path).ino, ino);
  });

  it('is left alone while there is nothing new', async () => {
    await textfile.follow({ path, every, refresh });
    const { ino, mtimeMs } = statSync(path);
    await looked(3);
    const after = statSync(path);
    assert.deepEqual([after.ino, after.mtimeMs], [ino, mtimeMs]);
  });

  it('is written anew when it is old, so that its age says whether the program is alive', async () => {
    await textfile.follow({ path, every, refresh });
    const { ino } = statSync(path);
    world.elapsed = refresh - 1;
    await looked(2);
    assert.equal(statSync(path).ino, ino);
    world.elapsed = refresh;
    await until('it is another file', () => statSync(path).ino !== ino);
  });

  it('moves with its settings, and goes with them', async () => {
    await textfile.follow({ path, every, refresh });
    const other = join(directory, 'other.prom');
    await textfile.follow({ path: other, every, refresh });
    assert.deepEqual(readdirSync(directory), ['other.prom']);
    await textfile.follow(undefined);
    assert.deepEqual(readdirSync(directory), []);
  });

  it('has the last state when the program ends, and stays', async () => {
    await textfile.follow({ path, every: 2 ** 31 - 1, refresh });
    world.text = 'a 3\n';
    await textfile.stop();
    assert.equal(content(), 'a 3\n');
    const before = looks;
    await textfile.stop();
    assert.equal(looks, before);
  });

  it('costs nothing without settings', async () => {
    await textfile.follow(undefined);
    await textfile.stop();
    assert.equal(looks, 0);
  });

  it('says once that it cannot be written, tries again, and says when it can', async () => {
    const absent = join(directory, 'absent');
    const late = join(absent, 'x.prom');
    await textfile.follow({ path: late, every, refresh });
    await looked(2);
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', /^metrics not written .*ENOENT/);
    mkdirSync(absent);
    await until('it is said', () => logged.length === 2);
    assert.match(logged[1] ?? '', /^metrics are written again/);
    assert.equal(readFileSync(late, 'utf8'), 'a 1\n');
  });

  it('keeps the last text when there is none', async () => {
    await textfile.follow({ path, every, refresh });
    world.fails = true;
    await until('it is said', () => logged.length === 1);
    assert.equal(content(), 'a 1\n');
  });

  it('takes the place of a link, and does not write where the link leads', async () => {
    const target = join(directory, 'target');
    writeFileSync(target, 'precious');
    symlinkSync(target, path);
    await textfile.follow({ path, every, refresh });
    assert.equal(readFileSync(target, 'utf8'), 'precious');
    assert.equal(content(), 'a 1\n');
  });

  it('leaves nothing of a write that a crash cut off', async () => {
    writeFileSync(join(directory, '.bmc-certificates.prom.0123456789ab.new'), 'half');
    await textfile.follow({ path, every, refresh });
    assert.deepEqual(readdirSync(directory), ['bmc-certificates.prom']);
  });
});
