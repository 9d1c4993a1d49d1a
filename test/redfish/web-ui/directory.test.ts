import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readWebUi } from '../../../src/redfish/web-ui/directory.ts';
import { hasContentHash } from '../../../src/redfish/web-ui/serve.ts';

describe('the directory of a web UI', () => {
  let base: string;
  let directory: string;
  let warnings: string[];

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'web-ui-'));
    directory = join(base, 'www');
    mkdirSync(join(directory, 'js'), { recursive: true });
    writeFileSync(join(directory, 'index.html'), 'page');
    warnings = [];
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  const read = (limits = {}) =>
    readWebUi(
      { directory, files: 20, bytes: 10_000, ...limits },
      { debug() {}, info() {}, warn: (text) => void warnings.push(text), error() {} },
    );

  it('is a table of paths, with index.html for its directory and .gz left off', () => {
    writeFileSync(join(directory, 'js', 'app.js.gz'), gzipSync('script'));
    const files = read();
    assert.deepEqual([...files.keys()].sort(), ['/', '/index.html', '/js/app.js']);
    assert.equal(files.get('/js/app.js')?.plain, undefined);
    assert.ok(files.get('/js/app.js')?.gzip);
    assert.deepEqual(warnings, []);
  });

  it('joins a file and its compressed form', () => {
    writeFileSync(join(directory, 'index.html.gz'), gzipSync('page'));
    const file = read().get('/');
    assert.equal(file?.plain?.content.toString(), 'page');
    assert.notEqual(file?.gzip?.etag, file?.plain?.etag);
  });

  it('leaves out what is hidden, what is no file, and what would stand before the tree', () => {
    writeFileSync(join(directory, '.htpasswd'), 'secret');
    mkdirSync(join(directory, '.git'));
    writeFileSync(join(directory, '.git', 'config'), 'secret');
    mkdirSync(join(directory, 'redfish'));
    writeFileSync(join(directory, 'redfish', 'v1'), 'false');
    execFileSync('mkfifo', [join(directory, 'pipe.js')]);
    assert.deepEqual([...read().keys()].sort(), ['/', '/index.html']);
    assert.equal(warnings.length, 2);
  });

  it('follows a link to a file within, and none that leads out, to a directory or to what is hidden', () => {
    writeFileSync(join(base, 'secret'), 'secret');
    mkdirSync(join(base, 'www-beside'));
    writeFileSync(join(base, 'www-beside', 'file'), 'secret');
    writeFileSync(join(directory, '.hidden'), 'secret');
    symlinkSync('index.html', join(directory, 'start.html'));
    symlinkSync('../secret', join(directory, 'out.txt'));
    symlinkSync(join(base, 'www-beside', 'file'), join(directory, 'beside.txt'));
    symlinkSync('.hidden', join(directory, 'hidden.txt'));
    symlinkSync('..', join(directory, 'up'));
    symlinkSync('.', join(directory, 'loop'));
    symlinkSync('nowhere', join(directory, 'broken.txt'));
    assert.deepEqual([...read().keys()].sort(), ['/', '/index.html', '/start.html']);
    assert.equal(warnings.length, 6);
  });

  it('may itself be a link', () => {
    symlinkSync(directory, join(base, 'link'));
    assert.ok(read({ directory: join(base, 'link') }).has('/'));
  });

  const refusals = [
    { what: 'too many files', limits: { files: 1 }, message: /more than 1 files/ },
    { what: 'too many bytes', limits: { bytes: 3 }, message: /more than 3 bytes,/ },
    {
      what: 'a directory that is not there',
      limits: { directory: '/nowhere' },
      message: /nowhere/,
    },
  ];
  for (const { what, limits, message } of refusals) {
    it(`refuses ${what} at the start`, () => {
      assert.throws(() => read(limits), { message });
    });
  }

  it('takes exactly as much as the limits say', () => {
    assert.ok(read({ files: 2, bytes: 4 }).has('/'));
  });

  it('says when there is no page to begin with', () => {
    rmSync(join(directory, 'index.html'));
    assert.equal(read().size, 0);
    assert.equal(warnings.length, 1);
  });
});

describe('a file name of a web UI', () => {
  const names = [
    { name: '/js/app.1a2b3c4d.js', hashed: true },
    { name: '/assets/index-Bk9x_Z1a.js', hashed: true },
    { name: '/css/chunk-0f00ba12.css', hashed: true },
    { name: '/index.html', hashed: false },
    { name: '/favicon.ico', hashed: false },
    { name: '/img/some-background.png', hashed: false },
    { name: '/fonts/font-awesome5.css', hashed: false },
    { name: '/js/app.1a2b.js', hashed: false },
  ];
  for (const { name, hashed } of names) {
    it(`${name} ${hashed ? 'tells' : 'does not tell'} its content`, () => {
      assert.equal(hasContentHash(name), hashed);
    });
  }
});
