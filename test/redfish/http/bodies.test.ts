import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { validateAccountPatch } from '../../../schemas/generated/validators.js';
import { maxUploads } from '../../../src/redfish/app.ts';
import { makeBody } from '../../../src/redfish/http/request-body.ts';
import { until } from '../../e2e/commands.ts';
import { startService, type TestService } from '../service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const sessions = '/redfish/v1/SessionService/Sessions';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const replace = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';

describe('the bodies of requests', () => {
  let service: TestService;
  const http = { bodyBytes: 8192, jsonBytes: 4096 };

  before(async () => {
    service = await startService({ http });
  });
  after(() => service.close());

  const sizes: readonly (readonly [string, string, number, number])[] = [
    ['PATCH', `${accounts}/admin`, 4096, 400],
    ['PATCH', `${accounts}/admin`, 4097, 413],
    ['POST', accounts, 4097, 413],
    ['POST', `${accounts}/admin/Certificates`, 4097, 413],
    ['POST', replace, 8192, 400],
    ['POST', truststore, 8192, 400],
    ['POST', truststore, 8193, 413],
    ['PUT', '/xyz/openbmc_project/certs/authority/truststore', 8192, 400],
  ];
  for (const [method, path, bytes, expected] of sizes) {
    it(`may be large only where certificates come: ${bytes} with ${method} ${path} is ${expected}`, async () => {
      const body = ' '.repeat(bytes);
      for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
        const { status, text } = await service.ask(method, path, { body, headers });
        assert.equal(status, expected, text);
      }
    });
  }

  /** A session, not a password, whose check would take a while: bodies are read in the order in which they come. */
  const login = () => service.sessions.create({ userName: 'admin', address: '' }).token;

  /** A client that sends the half of a body and stops. */
  const sendHalf = async (): Promise<Socket> => {
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('connect', resolve));
    const head = `POST ${truststore} HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: ${login()}\r\nContent-Length: 4000`;
    socket.write(`${head}\r\n\r\n${'x'.repeat(2000)}`);
    return socket;
  };
  const post = () =>
    service.ask('POST', truststore, { as: '', headers: { 'X-Auth-Token': login() }, body: 'x' });

  it('of uploads are so many at a time, until those before them are done, and others are read', async () => {
    const sockets: Socket[] = [];
    while ((await post()).status === 400 && sockets.length < 2 * maxUploads) {
      sockets.push(await sendHalf());
      // The half that was sent before is being read when this is answered
      await service.ask('GET', truststore);
    }
    assert.equal(sockets.length, maxUploads);
    const { status, headers, text } = await post();
    assert.equal(status, 503, text);
    assert.match(text, /ServiceTemporarilyUnavailable/);
    assert.ok(Number(headers['retry-after']) > 0);
    assert.equal((await service.ask('GET', truststore)).status, 200);
    assert.equal((await service.ask('PATCH', `${accounts}/admin`, { body: '{' })).status, 400);
    for (const socket of sockets) socket.destroy();
    await until('there is room again', async () => (await post()).status === 400);
  });

  it('are as they were sent, in however many pieces they come', async () => {
    const socket = connect(service.port, '127.0.0.1').setNoDelay();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    const head = `PATCH ${accounts}/admin HTTP/1.1\r\nHost: bmc\r\nX-Auth-Token: ${login()}`;
    socket.write(`${head}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const one of '{"Pieces": 1}') {
      socket.write(`1\r\n${one}\r\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write('0\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(text, /PropertyUnknown[\s\S]*Pieces/);
  });

  it('are let go when they are parsed, though the change waits for others', () => {
    const body = makeBody(Buffer.from('{"Enabled": true}'));
    assert.deepEqual(body.parse(validateAccountPatch), { Enabled: true });
    assert.deepEqual([body.bytes.length, body.text], [0, '']);
  });
});

describe('the text of a body', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  const account = (password: string) =>
    `{"UserName": "half", "Password": "${password}", "RoleId": "ReadOnly"}`;
  const halves = ['\\ud800abcdefgh1', 'abcdefgh1\\udc00', 'abcd\\udc00\\ud800efgh1'];
  for (const password of halves) {
    it(`has no half of a surrogate pair, such as ${password}`, async () => {
      const login = `{"UserName": "admin", "Password": "${password}"}`;
      for (const [path, body] of [
        [accounts, account(password)],
        [sessions, login],
      ] as const) {
        const { status, text } = await service.ask('POST', path, { body });
        assert.equal(status, 400, text);
        assert.match(text, /PropertyValueError[\s\S]*Password must not hold half/);
      }
    });
  }

  it('may have whole surrogate pairs', async () => {
    const body = account('\\ud83d\\ude00abcdefgh1');
    assert.equal((await service.ask('POST', accounts, { body })).status, 201);
    const login = { UserName: 'half', Password: '\u{1f600}abcdefgh1' };
    assert.equal((await service.ask('POST', sessions, { body: login, as: '' })).status, 201);
  });

  it('may be nested as deep as its bytes allow', async () => {
    const body = `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`;
    const { status, text } = await service.ask('POST', accounts, { body });
    assert.equal(status, 400);
    assert.match(text, /PropertyUnknown/);
  });

  it('is UTF-8', async () => {
    const binary = Buffer.from(account('sch\u00f6n-genug-1').replace('half', 'latin'), 'latin1');
    const { status, text } = await service.ask('POST', accounts, { binary });
    assert.equal(status, 400);
    assert.match(text, /MalformedJSON/);
  });
});
