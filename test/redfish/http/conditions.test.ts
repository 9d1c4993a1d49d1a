import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isVolatile, tagResource, volatileMembers } from '../../../src/redfish/http/entity-tag.ts';
import { acceptsJson, prefersGzip } from '../../../src/redfish/http/quality.ts';
import { samplePem, startService, type TestService } from '../service.ts';

const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const sessions = '/redfish/v1/SessionService/Sessions';

describe('HTTP conditions', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
    for (const id of ['1', '2', '3', '4']) {
      service.client.put({ type: 'authority', name: 'truststore' }, id, samplePem);
    }
  });

  after(() => service.close());

  const ask = (method: string, path: string, headers = {}, body = '') =>
    service.ask(method, path, { headers, body });
  const tagOf = async (path: string) => String((await ask('GET', path)).headers.etag);

  it('has one strong ETag in header and body, after the type', async () => {
    const { headers, text } = await ask('GET', `${truststore}/1`);
    assert.match(String(headers.etag), /^"[0-9a-f]{32}"$/);
    assert.equal(JSON.parse(text)['@odata.etag'], headers.etag);
    assert.deepEqual(Object.keys(JSON.parse(text)).slice(1, 3), ['@odata.type', '@odata.etag']);
    assert.match(String(headers.link), /Certificate\.v\d+_\d+_\d+\.json>; rel=describedby$/);
  });

  for (const path of ['/redfish', '/redfish/v1/odata']) {
    it(`has no ETag for ${path}, which is no resource`, async () => {
      const { headers, text } = await ask('GET', path);
      assert.equal(headers.etag, undefined);
      assert.doesNotMatch(text, /odata\.etag/);
    });
  }

  it('answers 304 without a body to a client that has it, and never before its login', async () => {
    const tag = await tagOf(truststore);
    for (const value of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const { status, text, headers } = await ask('GET', truststore, { 'If-None-Match': value });
      assert.equal(status, 304, value);
      assert.equal(text, '');
      assert.equal(headers.etag, tag);
      const nobody = { headers: { 'If-None-Match': value }, as: '' };
      assert.equal((await service.ask('GET', truststore, nobody)).status, 401);
      const reader = { ...nobody, as: 'reader:reader-pw' };
      assert.equal((await service.ask('GET', truststore, reader)).status, 403);
    }
    assert.equal((await ask('GET', truststore, { 'If-None-Match': '"x"' })).status, 200);
  });

  const accounts = '/redfish/v1/AccountService/Accounts';
  const clocks = [
    { path: '/redfish/v1/Managers/bmc', status: 200 },
    { path: '/redfish/v1/Managers/bmc?$select=DateTime', status: 200 },
    { path: '/redfish/v1/Managers?$expand=.', status: 200 },
    { path: '/redfish/v1/Managers/bmc?$select=Name', status: 304 },
    { path: '/redfish/v1/Managers', status: 304 },
    { path: `${accounts}/admin`, status: 200 },
    { path: `${accounts}/admin?$select=Locked`, status: 200 },
    { path: `${accounts}?$expand=.`, status: 200 },
    { path: `${accounts}?$expand=.&$select=Members/RoleId`, status: 304 },
    { path: `${accounts}/admin?$select=RoleId`, status: 304 },
  ];
  for (const { path, status } of clocks) {
    it(`answers ${status} to a client that has ${path}, so that it never keeps what changes by itself`, async () => {
      const tag = await tagOf(path);
      const answer = await ask('GET', path, { 'If-None-Match': tag });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.etag, tag);
      assert.equal(/"DateTime": "\d|"Locked": (true|false)/.test(answer.text), status === 200);
    });
  }

  const stale = [
    { method: 'GET', path: `${truststore}/1` },
    { method: 'DELETE', path: `${truststore}/1` },
    { method: 'POST', path: truststore },
    {
      method: 'POST',
      path: '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR',
    },
  ];
  for (const { method, path } of stale) {
    it(`answers 412 to ${method} ${path} with a stale If-Match and changes nothing`, async () => {
      const before = await tagOf(truststore);
      for (const value of ['"stale"', `W/${await tagOf(`${truststore}/1`)}`, 'nonsense']) {
        const { status, text } = await ask(
          method,
          path,
          { 'If-Match': value },
          method === 'POST' ? '{}' : '',
        );
        assert.equal(status, 412, text);
        assert.match(text, /PreconditionFailed/);
      }
      assert.equal(await tagOf(truststore), before);
    });
  }

  it('refuses a change with If-None-Match: * of what is there', async () => {
    const { status } = await ask('DELETE', `${truststore}/1`, { 'If-None-Match': '*' });
    assert.equal(status, 412);
  });

  it('changes with the right If-Match and with *', async () => {
    const tag = await tagOf(`${truststore}/3`);
    assert.equal((await ask('DELETE', `${truststore}/3`, { 'If-Match': tag })).status, 204);
    assert.equal((await ask('DELETE', `${truststore}/4`, { 'If-Match': '*' })).status, 204);
    assert.equal((await ask('DELETE', `${truststore}/4`, { 'If-Match': '*' })).status, 404);
  });

  it('lets one of two changes with the same If-Match succeed', async () => {
    const tag = await tagOf(`${truststore}/2`);
    const both = [1, 2].map(() => ask('DELETE', `${truststore}/2`, { 'If-Match': tag }));
    const statuses = (await Promise.all(both)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [204, 404]);
  });

  const manager = { '@odata.id': '/x', '@odata.type': '#Manager.v1_25_0.Manager' };
  const DateTime = '2026-11-29T00:00:00+00:00';

  it('leaves volatile members out of an ETag and nothing else', () => {
    const tag = (more: object) => tagResource({ ...manager, ...more }).tag;
    assert.equal(tag({ DateTime, A: 1 }), tag({ DateTime: '', A: 1 }));
    assert.notEqual(tag({ A: 1 }), tag({ A: 2 }));
    assert.notEqual(tag({ A: { DateTime } }), tag({ A: { DateTime: '' } }));
  });

  const shown: readonly (readonly [object, boolean])[] = [
    [{ ...manager, DateTime }, true],
    [{ Members: [{ ...manager, DateTime }, 'x'] }, true],
    [{ Of: { Manager: { ...manager, DateTime } } }, true],
    [{ ...manager, Within: { DateTime } }, false],
    [{ ...manager, '@odata.type': '#Session.v1_8_0.Session', DateTime }, false],
    [{ ...manager, '@odata.type': '#constructor.v1_8_0.constructor', DateTime }, false],
    [{ DateTime, Members: [{ '@odata.id': '/x' }, null] }, false],
  ];
  for (const [answer, expected] of shown) {
    it(`knows whether ${JSON.stringify(answer)} changes by itself`, () => {
      assert.equal(isVolatile(answer), expected);
    });
  }

  it('has the same ETag while an account is locked and let go again', async () => {
    assert.deepEqual(volatileMembers.ManagerAccount, ['Locked']);
    const isLocked = async () => (await service.users.find('reader'))?.locked;
    const tag = await tagOf(`${accounts}/reader`);
    for (let guess = 0; guess < 30 && !(await isLocked()); guess += 1) {
      const as = 'reader:wrong-guess';
      await service.ask('GET', truststore, { as });
    }
    const locked = await ask('GET', `${accounts}/reader`, { 'If-None-Match': tag });
    assert.equal(JSON.parse(locked.text).Locked, true);
    const headers = { 'If-Match': tag };
    const changed = await service.ask('PATCH', `${accounts}/reader`, {
      ...{ headers, body: { RoleId: 'Operator' } },
    });
    assert.equal(changed.status, 200, changed.text);
    const again = { headers, body: { RoleId: 'ReadOnly' } };
    assert.equal((await service.ask('PATCH', `${accounts}/reader`, again)).status, 412);
    service.users.unlock('reader');
  });

  it('speaks OData-Version 4.0 alone', async () => {
    for (const path of ['/redfish/v1', '/redfish', truststore, '/nowhere']) {
      assert.equal((await ask('GET', path, { 'OData-Version': '4.1' })).status, 412);
    }
    assert.equal((await ask('GET', '/redfish/v1', { 'OData-Version': '4.0' })).status, 200);
  });

  const accepts: readonly [string | undefined, boolean][] = [
    [undefined, true],
    ['', true],
    ['application/json;charset=utf-8', true],
    ['application/*', true],
    ['*/*;charset=utf-8', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', true],
    ['text/html', false],
    ['application/json;q=0, */*', false],
  ];
  for (const [accept, expected] of accepts) {
    it(`${expected ? 'answers' : 'refuses'} Accept: ${accept}`, () => {
      assert.equal(acceptsJson(accept), expected);
    });
  }

  it('answers 406 to a client that wants no JSON', async () => {
    assert.equal((await ask('GET', truststore, { Accept: 'text/html' })).status, 406);
  });

  it('refuses a body that is not JSON, but takes a certificate file under any type', async () => {
    const headers = { 'Content-Type': 'text/plain' };
    assert.equal((await ask('POST', sessions, headers, '{}')).status, 415);
    assert.equal((await ask('POST', truststore, headers, samplePem)).status, 201);
  });

  for (const length of [undefined, '0', '00']) {
    it(`takes any content type where there is no body (Content-Length: ${length})`, async () => {
      const announced = length === undefined ? {} : { 'Content-Length': length };
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded', ...announced };
      assert.equal((await ask('DELETE', `${sessions}/none`, headers)).status, 404);
    });
  }

  it('compresses large reads for whoever prefers it, with the same headers for HEAD', async () => {
    const headers = { 'Accept-Encoding': 'gzip' };
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const Authorization = `Basic ${Buffer.from('admin:admin-pw').toString('base64')}`;
      const options = { port: service.port, host: '127.0.0.1', path: `${truststore}/1` };
      request({ ...options, headers: { ...headers, Authorization } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      })
        .on('error', reject)
        .end();
    });
    assert.equal(JSON.parse(gunzipSync(bytes).toString()).Id, '1');
    const head = await ask('HEAD', `${truststore}/1`, headers);
    assert.equal(head.headers['content-encoding'], 'gzip');
    assert.equal(head.headers['content-length'], String(bytes.length));
    assert.match(String(head.headers.vary), /Accept-Encoding/i);
    assert.equal((await ask('GET', '/redfish', headers)).headers['content-encoding'], undefined);
  });

  it('never compresses the answer to a login', async () => {
    const body = { UserName: 'admin', Password: 'admin-pw' };
    const headers = { 'Accept-Encoding': 'gzip' };
    const { status, headers: got } = await service.ask('POST', sessions, { headers, body, as: '' });
    assert.equal(status, 201);
    assert.equal(got['content-encoding'], undefined);
    assert.equal(got.etag, await tagOf(String(got.location)));
  });

  const encodings: readonly [string, boolean][] = [
    ['gzip', true],
    ['*', true],
    ['gzip;q=0', false],
    ['gzip;q=0, *', false],
    ['identity, gzip;q=0.5', false],
    ['br', false],
    ['', false],
  ];
  for (const [header, expected] of encodings) {
    it(`${expected ? 'compresses' : 'does not compress'} for Accept-Encoding: ${header}`, () => {
      assert.equal(prefersGzip(header), expected);
    });
  }

  it('refuses a URI that is too long', async () => {
    assert.equal((await ask('GET', `/redfish/v1?${'x'.repeat(3000)}`)).status, 414);
  });

  const tricks = ['//', '/./', '/x/../', '/%2e/', '/%2e%2e/Managers/', ';x/', '%2f'];
  for (const trick of tricks) {
    it(`finds nothing behind ${trick}`, async () => {
      for (const path of [
        `/redfish/v1${trick}Managers`,
        `/redfish/v1/Managers${trick}bmc`,
        `${truststore}${trick}1`,
        `${truststore}/1${trick}`,
      ]) {
        // One slash at the end is the one variation that there is
        if (path === `${truststore}/1/`) continue;
        const { status, text } = await ask('GET', path);
        assert.equal(status, 404, `${path}: ${text}`);
      }
    });
  }

  for (const method of ['TRACE', 'PURGE', 'SEARCH', 'OPTIONS', 'PROPFIND']) {
    it(`answers 405 with Allow to ${method}`, async () => {
      const { status, headers } = await ask(method, truststore);
      assert.equal(status, 405);
      assert.equal(headers.allow, 'GET, HEAD, POST');
    });
  }

  it('asks for Host as Redfish does, and answers pipelined requests in their order', async () => {
    const lines = (path: string, more = 'Host: bmc\r\n') => `GET ${path} HTTP/1.1\r\n${more}\r\n`;
    const text = await new Promise<string>((resolve) => {
      const socket = connect(service.port, '127.0.0.1');
      let got = '';
      socket.on('data', (chunk) => {
        got += chunk;
      });
      socket.on('close', () => resolve(got));
      socket.write(
        lines('/redfish/v1') +
          lines('/redfish') +
          lines('/redfish', '') +
          lines('/nowhere', 'Host: bmc\r\nConnection: close\r\n'),
      );
    });
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    assert.deepEqual(statuses, ['200', '200', '400', '401']);
    assert.match(text, /HeaderMissing/);
  });
});
