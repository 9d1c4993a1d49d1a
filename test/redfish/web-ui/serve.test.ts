import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readWebUi } from '../../../src/redfish/web-ui/directory.ts';
import { startService, type TestService } from '../service.ts';

const script = 'const answer = 42;\n'.repeat(5000);

const types = [
  ['a.JS', 'text/javascript; charset=utf-8'],
  ['a.mjs', 'text/javascript; charset=utf-8'],
  ['a.min.css', 'text/css; charset=utf-8'],
  ['a.json', 'application/json; charset=utf-8'],
  ['a.ico', 'image/vnd.microsoft.icon'],
  ['a.woff2', 'font/woff2'],
  ['a.wasm', 'application/wasm'],
  ['a.svg', 'image/svg+xml'],
  ['a.constructor', 'application/octet-stream'],
  ['LICENSE', 'application/octet-stream'],
] as const;

/** Files that break when they are unpacked, have another length than they say, or are not packed. */
function damaged(): Buffer[] {
  const [broken, longer, shorter] = [1, 2, 3].map(() => gzipSync(script));
  broken?.fill(0xff, 20, 60);
  longer?.writeUInt32LE(10, longer.length - 4);
  shorter?.writeUInt32LE(script.length + 10, shorter.length - 4);
  return [broken, longer, shorter, Buffer.from(script)].filter((one) => one !== undefined);
}

describe('a web UI', () => {
  const base = mkdtempSync(join(tmpdir(), 'web-ui-'));
  const directory = join(base, 'www');
  let service: TestService;

  before(async () => {
    mkdirSync(join(directory, 'js'), { recursive: true });
    mkdirSync(join(directory, 'redfish'));
    writeFileSync(join(directory, 'index.html'), '<!doctype html>start');
    writeFileSync(join(directory, 'js', 'app.0123abcd.js.gz'), gzipSync(script));
    writeFileSync(join(directory, 'with space.txt'), 'spaced');
    for (const [name] of types) writeFileSync(join(directory, name), 'any');
    for (const [at, content] of damaged().entries()) {
      writeFileSync(join(directory, `damaged-${at}.js.gz`), content);
    }
    writeFileSync(join(directory, '.secret'), 'inner secret');
    writeFileSync(join(directory, 'redfish', 'index.html'), 'false tree');
    writeFileSync(join(base, 'secret'), 'outer secret');
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const files = readWebUi({ directory, files: 100, bytes: 1_000_000 }, log);
    service = await startService({ webUi: files });
  });
  after(async () => {
    await service.close();
    rmSync(base, { recursive: true, force: true });
  });

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    service.ask(method, path, { as: '', headers });
  const raw = (target: string, method = 'GET', headers = '') =>
    exchange(service.port, `${method} ${target} HTTP/1.1\r\nHost: bmc\r\n${headers}`);

  it('begins at / without a login, under a policy that keeps forms from being sent', async () => {
    const { status, text, headers } = await get('/');
    assert.equal(status, 200);
    assert.equal(text, '<!doctype html>start');
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal(headers['odata-version'], undefined);
    const policy = String(headers['content-security-policy']).split('; ');
    for (const rule of ["form-action 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
      assert.ok(policy.includes(rule), rule);
    }
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.match(String(headers['permissions-policy']), /camera=\(\)/);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
  });

  it('sends a compressed file as it is to whom it suits, and unpacked to others', async () => {
    const path = '/js/app.0123abcd.js';
    const packed = await raw(path, 'GET', 'Accept-Encoding: br, gzip\r\n');
    assert.match(packed.head, /^Content-Encoding: gzip$/m);
    assert.equal(gunzipSync(packed.body).toString(), script);
    const unpacked = await raw(path);
    assert.doesNotMatch(unpacked.head, /^Content-Encoding/m);
    assert.equal((await get(path)).text, script);
    for (const { head } of [packed, unpacked]) {
      assert.match(head, /^Vary: Accept-Encoding$/m);
      assert.match(head, /^Cache-Control: public, max-age=31536000, immutable$/m);
      assert.match(head, /^Content-Type: text\/javascript; charset=utf-8$/m);
    }
    assert.notEqual(tagOf(packed.head), tagOf(unpacked.head));
  });

  it('answers 304 to whoever has the same representation already', async () => {
    const path = '/js/app.0123abcd.js';
    const gzip = { 'Accept-Encoding': 'gzip' };
    const etag = String((await get(path, gzip)).headers.etag);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, text, headers } = await get(path, { ...gzip, 'If-None-Match': known });
      assert.equal(status, 304, known);
      assert.equal(text, '');
      assert.equal(headers.etag, etag);
    }
    assert.equal((await get(path, { 'If-None-Match': etag })).status, 200);
    assert.equal((await get('/', { 'If-None-Match': etag })).status, 200);
  });

  it('answers HEAD with the headers of GET alone', async () => {
    const ofFile = (head: string) =>
      head.split('\n').filter((line) => !/^(Date|Transfer-Encoding|$)/.test(line));
    for (const path of ['/', '/js/app.0123abcd.js']) {
      const [{ head, body }, got] = [await raw(path, 'HEAD'), await raw(path)];
      assert.equal(body.length, 0);
      assert.deepEqual(ofFile(head), ofFile(got.head));
    }
  });

  it('finds a name by its percent-encoded path and ignores a query', async () => {
    assert.equal((await get('/with%20space.txt?v=1')).text, 'spaced');
  });

  for (const [name, type] of types) {
    it(`says that ${name} is ${type}`, async () => {
      assert.equal((await get(`/${name}`)).headers['content-type'], type);
    });
  }

  for (const at of [0, 1, 2, 3]) {
    it(`breaks off damaged file ${at} that it unpacks, and tells the log`, async () => {
      const nothing = { body: Buffer.alloc(0) };
      const { body } = await raw(`/damaged-${at}.js`).catch(() => nothing);
      assert.ok(!body.toString('latin1').endsWith('\r\n0\r\n\r\n'), 'the last chunk was sent');
      assert.equal(service.log.splice(0).length, 1);
      assert.equal((await get('/')).status, 200);
    });
  }

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    it(`refuses ${method} of a file`, async () => {
      const { status, headers } = await get('/index.html', {}, method);
      assert.equal(status, 405);
      assert.equal(headers.allow, 'GET, HEAD');
    });
  }

  const tricks = [
    ...['/../secret', '/js/../../secret', '/..%2fsecret', '/%2e%2e/secret', '/js/..%2f..%2fsecret'],
    ...['/..\\secret', '/%5c..%5csecret', '//secret', '/./index.html', '/js/../index.html'],
    ...[
      '/.secret',
      '/%2esecret',
      '/index.html%00.js',
      '/index.html/',
      '/js',
      '/js/',
      '//etc/passwd',
    ],
    ...['/%', '/%zz', '/%c0%ae%c0%ae/secret', '/%252e%252e/secret', '/js/app.0123abcd.js.gz'],
    ...['/__proto__', '/constructor', '/undefined', '/undefined/Bios', `/${'a/'.repeat(500)}`],
    ...['/file:///etc/passwd', '/INDEX.HTML', '/;/index.html', '/index.html;a'],
  ];
  for (const target of tricks) {
    it(`answers 404 as JSON to ${target.slice(0, 40)}`, async () => {
      const { head, body } = await raw(target, 'GET', 'Accept: application/json\r\n');
      assert.match(head, /^HTTP\/1\.1 404 /);
      assert.match(head, /^Content-Type: application\/json/m);
      assert.match(head, /^Content-Security-Policy: default-src 'none'/m);
      assert.doesNotMatch(body.toString(), /(inner|outer) secret/);
      assert.ok(JSON.parse(body.toString()).error);
    });
  }

  it('never stands before the tree', async () => {
    assert.equal((await raw('/redfish')).head.slice(0, 12), 'HTTP/1.1 200');
    assert.match((await raw('/redfish/v1')).body.toString(), /RootService/);
    for (const target of ['/redfish/v1/Managers', '/redfish/index.html', '/%72edfish/index.html']) {
      const { head, body } = await raw(target);
      assert.match(head, /^HTTP\/1\.1 401 /, target);
      assert.doesNotMatch(body.toString(), /false tree/);
    }
  });

  it('survives a client that leaves while a file is unpacked', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /js/app.0123abcd.js HTTP/1.1\r\nHost: bmc\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.resetAndDestroy();
    assert.equal((await get('/')).status, 200);
    assert.deepEqual(service.log, []);
  });

  it('is not changed by files that are replaced while it is served', async () => {
    writeFileSync(join(directory, 'index.html'), 'of the next firmware');
    assert.equal((await get('/')).text, '<!doctype html>start');
  });
});

describe('a service without a web UI', () => {
  it('asks for a login at any path, but leads browsers from / to the tree', async () => {
    const service = await startService();
    assert.equal((await service.ask('GET', '/index.html', { as: '' })).status, 401);
    assert.equal((await service.ask('POST', '/', { as: '' })).status, 401);
    const root = await service.ask('GET', '/', { as: '' });
    assert.equal(root.status, 302);
    assert.equal(root.headers.location, '/redfish/v1/');
    await service.close();
  });
});

function tagOf(head: string): string | undefined {
  return /^ETag: (.*)$/m.exec(head)?.[1];
}

/** Sends a request byte for byte, as no HTTP library would. */
function exchange(port: number, request: string): Promise<{ head: string; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const head = all.subarray(0, end).toString().replaceAll('\r', '');
      resolve({ head, body: all.subarray(end + 4) });
    });
    socket.write(`${request}Connection: close\r\n\r\n`);
  });
}
