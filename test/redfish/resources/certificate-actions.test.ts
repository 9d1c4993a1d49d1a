import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import type { EndpointRef } from '../../../src/manager/certificate-client.ts';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { endpoints, samplePem, startService, type TestService } from '../service.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';
const replace = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
const [server] = endpoints;

let service: TestService;
beforeEach(async () => {
  service = await startService();
  service.client.put(server, '1', samplePem);
});
afterEach(() => service.close());

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  service.ask('POST', path, {
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  });

describe('a certification request that takes long', () => {
  const collection = { CertificateCollection: { '@odata.id': `${https}/` } };

  it('is answered with a task whose monitor ends in the request', async () => {
    let finish: (pem: string) => void = () => undefined;
    service.client.makeRequest = () => new Promise((resolve) => (finish = resolve));
    const accepted = await post(generate, { ...collection, CommonName: 'bmc' });
    assert.equal(accepted.status, 202, accepted.text);
    const task = JSON.parse(accepted.text);
    const monitor = String(accepted.headers.location);
    assert.equal(task.TaskMonitor, monitor);
    assert.equal(task.TaskState, 'Running');
    const waiting = await service.ask('GET', monitor);
    assert.equal(waiting.status, 202);
    assert.ok(waiting.headers['retry-after']);
    finish('-----BEGIN CERTIFICATE REQUEST-----\n');
    const done = await service.ask('GET', monitor);
    assert.equal(done.status, 200);
    assert.deepEqual(JSON.parse(done.text), {
      CSRString: '-----BEGIN CERTIFICATE REQUEST-----\n',
      ...collection,
    });
    const ended = JSON.parse((await service.ask('GET', task['@odata.id'])).text);
    assert.equal(ended.TaskState, 'Completed');
    const request = { id: 'ab'.repeat(32), pem: '-----BEGIN CERTIFICATE REQUEST-----\n' };
    service.client.waiting = [{ ...request, created: new Date() }];
    assert.equal((await service.ask('DELETE', task['@odata.id'])).status, 409);
    service.client.waiting = [];
    assert.equal((await service.ask('DELETE', task['@odata.id'])).status, 204);
    assert.equal((await service.ask('GET', task['@odata.id'])).status, 404);
  });

  it('gives a task at once to a client that prefers that, and says so', async () => {
    service.client.makeRequest = () => new Promise((resolve) => setTimeout(resolve, 50, 'pem'));
    const headers = { Prefer: 'respond-async' };
    const accepted = await post(generate, collection, headers);
    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers['preference-applied'], 'respond-async');
  });

  it('gives the answer itself to a client whose wait is long enough, and says nothing of tasks', async () => {
    service.client.makeRequest = async () => 'pem';
    const answer = await post(generate, collection, { Prefer: 'respond-async, wait=5' });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['preference-applied'], undefined);
  });

  it('tells the owner and whoever manages certificates, and nobody else', async () => {
    service.client.makeRequest = () => new Promise(() => undefined);
    const accepted = await post(generate, collection, { Prefer: 'respond-async' });
    const monitor = String(accepted.headers.location);
    assert.equal((await service.ask('GET', monitor, { as: 'reader:reader-pw' })).status, 403);
    assert.equal((await service.ask('GET', monitor)).status, 202);
  });

  it('ends in what was wrong', async () => {
    let fail: (error: Error) => void = () => undefined;
    service.client.makeRequest = () => new Promise((_, reject) => (fail = reject));
    const accepted = await post(generate, collection, { Prefer: 'respond-async' });
    fail(new CertError('request-timeout', 'the request was not made within 300 s'));
    await new Promise(setImmediate);
    const answer = await service.ask('GET', String(accepted.headers.location));
    assert.equal(answer.status, 500);
    assert.match(answer.text, /request-timeout/);
    const task = JSON.parse(
      (await service.ask('GET', JSON.parse(accepted.text)['@odata.id'])).text,
    );
    assert.equal(task.TaskState, 'Exception');
    assert.match(JSON.stringify(task.Messages), /request-timeout/);
  });
});

describe('a name with a port in a certification request', () => {
  it('is taken as scripts for OpenBMC send it, and the answer says that the port is left out', async () => {
    const answer = await post(generate, {
      CertificateCollection: { '@odata.id': https },
      CommonName: 'DNS: 192.0.2.7:443',
      AlternativeNames: ['DNS: 192.0.2.7:443', 'DNS: localhost', 'IP: 127.0.0.1'],
    });
    assert.equal(answer.status, 200, answer.text);
    const { '@Message.ExtendedInfo': messages } = JSON.parse(answer.text);
    assert.deepEqual(
      messages.map(({ MessageArgs }: { MessageArgs: string[] }) => MessageArgs),
      [['DNS: 192.0.2.7:443', '192.0.2.7']],
    );
  });
});

describe('a request whose certificate has not come yet', () => {
  it('of an endpoint that does not answer hides none of the others, and no task', async () => {
    const pem = 'the request';
    service.client.outstanding = async (endpoint?: EndpointRef) => {
      if (endpoint?.type === 'client')
        throw new CertError('no-answer', 'the manager did not answer in time');
      return [{ id: 'cd'.repeat(32), pem, created: new Date() }];
    };
    const list = JSON.parse((await service.ask('GET', '/redfish/v1/TaskService/Tasks')).text);
    assert.equal(list['Members@odata.count'], 1);
    assert.equal((await service.ask('GET', '/redfish/v1/TaskService/Tasks/none')).status, 404);
  });

  it('is looked for once where an answer shows all of them', async () => {
    let calls = 0;
    service.client.outstanding = async ({ type } = { type: 'server', name: '' }) => {
      calls += 1;
      const ids = type === 'client' ? ['01', '23', '45'] : ['67', '89'];
      return ids.map((id) => ({ id: id.repeat(32), pem: `request ${id}`, created: new Date() }));
    };
    const all = '/redfish/v1/TaskService/Tasks?$expand=.';
    const { Members } = JSON.parse((await service.ask('GET', all)).text);
    assert.equal(Members.length, 5);
    for (const { TaskState } of Members) assert.equal(TaskState, 'Completed');
    assert.equal(calls, 2, 'once for each endpoint');
    await service.ask('GET', all);
    assert.equal(calls, 4, 'anew for the next request');
  });

  it('can be read again as a task, and keeps its key', async () => {
    service.client.waiting = [
      { id: 'ab'.repeat(32), pem: 'the request', created: new Date('2026-01-02T03:04:05Z') },
    ];
    const list = JSON.parse((await service.ask('GET', '/redfish/v1/TaskService/Tasks')).text);
    // The client in memory has the same for the server and the client endpoint
    assert.equal(list['Members@odata.count'], 2);
    const task = JSON.parse((await service.ask('GET', list.Members[0]['@odata.id'])).text);
    assert.equal(task.TaskState, 'Completed');
    assert.equal(task.StartTime, '2026-01-02T03:04:05+00:00');
    const { CSRString } = JSON.parse((await service.ask('GET', task.TaskMonitor)).text);
    assert.equal(CSRString, 'the request');
    assert.equal((await service.ask('DELETE', task['@odata.id'])).status, 409);
  });
});

describe('a body with several authorities', () => {
  const another = (hostName: string) =>
    generateCertificate(
      { hostName, addresses: [] },
      { validDays: 10, renewBeforeDays: 1, curve: 'prime256v1', organization: 'Test' },
      Date.now(),
    ).leaf.pem;

  it('adds all of them to a truststore, and names each with its URI', async () => {
    const forms = [
      (bundle: string) => bundle,
      (bundle: string) => ({ CertificateString: bundle, CertificateType: 'PEMchain' }),
    ];
    for (const [at, form] of forms.entries()) {
      const first = another('first');
      const answer = await service.ask('POST', truststore, { body: form(first + another('next')) });
      assert.equal(answer.status, 201, answer.text);
      const { CertificateString, '@Message.ExtendedInfo': messages } = JSON.parse(answer.text);
      assert.equal(CertificateString, first);
      assert.equal(answer.headers.location, `${truststore}/${2 * at + 1}`);
      assert.deepEqual(
        messages.map(({ MessageArgs }: { MessageArgs: string[] }) => MessageArgs[1]),
        [1, 2].map((one) => `${truststore}/${2 * at + one}`),
      );
      assert.match(service.audit.at(-1) ?? '', /^info audit: change .*"certificates":2,/);
    }
    const body = another('third') + another('fourth');
    const path = '/xyz/openbmc_project/certs/authority/truststore';
    assert.equal((await service.ask('PUT', path, { body })).status, 200);
    assert.equal(service.client.list(endpoints[2]).length, 6);
    const twice = await service.ask('POST', truststore, { body: samplePem + samplePem });
    assert.equal(twice.status, 201);
    assert.equal(JSON.parse(twice.text)['@Message.ExtendedInfo'], undefined);
  });

  it('takes the place of no single one', async () => {
    service.client.put(endpoints[2], '1', samplePem);
    const answer = await post(replace, {
      CertificateString: another('first') + another('next'),
      CertificateType: 'PEM',
      CertificateUri: `${truststore}/1`,
    });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /too-many-certificates/);
  });
});

describe('the body of ReplaceCertificate in a POST to a collection', () => {
  const body = (CertificateUri: unknown) => ({
    ...{ CertificateString: samplePem, CertificateType: 'PEM', CertificateUri },
  });

  for (const uri of [ldap, `${ldap}/`, `${ldap}/1`, { '@odata.id': `${ldap}/1` }]) {
    it(`is taken with the URI ${JSON.stringify(uri)}`, async () => {
      const answer = await post(ldap, body(uri));
      assert.equal(answer.status, 201, answer.text);
    });
  }

  for (const uri of [`${truststore}/1`, 'nonsense', `${ldap}x/1`]) {
    it(`is refused with ${uri}, which is of another collection`, async () => {
      const answer = await post(ldap, body(uri));
      assert.equal(answer.status, 400);
      assert.match(answer.text, /CertificateUri/);
      assert.equal(service.client.list(endpoints[1]).length, 0);
    });
  }
});

describe('the successor of a certificate', () => {
  it('has its request from Rekey, whose parameters may all be left out', async () => {
    const rekey = `${https}/1/Actions/Certificate.Rekey`;
    for (const body of [{}, { KeyPairAlgorithm: 'TPM_ALG_RSA', KeyBitLength: 3072 }]) {
      const answer = await post(rekey, body);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(Object.keys(JSON.parse(answer.text)).sort(), ['CSRString', 'Certificate']);
    }
    assert.equal((await service.ask('POST', rekey)).status, 200);
    assert.equal(service.client.successors[1]?.KeyBitLength, 3072n);
  });

  it('has one for the same key from Renew', async () => {
    const body = { ChallengePassword: 'open sesame' };
    const answer = await post(`${https}/1/Actions/Certificate.Renew`, body);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(JSON.parse(answer.text).Certificate, { '@odata.id': `${https}/1` });
    assert.deepEqual(service.client.successors, [body]);
  });

  const refused = [
    { path: `${https}/2/Actions/Certificate.Renew`, body: {}, status: 404 },
    { path: `${https}/1/Actions/Certificate.Renew`, body: { Foo: 1 }, status: 400 },
    { path: `${https}/1/Actions/Certificate.Rekey`, body: { KeyBitLength: 'x' }, status: 400 },
    { path: `${truststore}/1/Actions/Certificate.Renew`, body: {}, status: 404 },
  ];
  for (const { path, body, status } of refused) {
    it(`answers ${status} to ${path} with ${JSON.stringify(body)}`, async () => {
      assert.equal((await post(path, body)).status, status);
    });
  }

  it('is described by an ActionInfo beside each action', async () => {
    const certificate = JSON.parse((await service.ask('GET', `${https}/1`)).text);
    for (const action of Object.values<Record<string, string>>(certificate.Actions)) {
      const info = await service.ask('GET', action['@Redfish.ActionInfo'] ?? '');
      assert.equal(info.status, 200);
      assert.equal(JSON.parse(info.text)['@odata.id'], action['@Redfish.ActionInfo']);
    }
    assert.equal((await service.ask('GET', `${https}/7/RekeyActionInfo`)).status, 404);
  });

  it('has the lengths of its key described as numbers, in a list and by bounds', async () => {
    const { Parameters } = JSON.parse(
      (await service.ask('GET', `${https}/1/RekeyActionInfo`)).text,
    );
    const length = Parameters.find(({ Name }: { Name: string }) => Name === 'KeyBitLength');
    assert.deepEqual(length, {
      ...{ Name: 'KeyBitLength', DataType: 'Number', Required: false },
      AllowableNumbers: ['2048', '3072', '4096'],
      ...{ MinimumValue: 2048, MaximumValue: 4096 },
    });
  });
});

describe('the form of a submitted certificate', () => {
  const directory = mkdtempSync(join(tmpdir(), 'forms-'));
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  let pem = '';

  before(() => {
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=forms', '-days', '5', '-keyout', at('key.pem'), '-out', at('cert.pem')],
    );
    openssl('x509', '-in', at('cert.pem'), '-outform', 'DER', '-out', at('cert.der'));
    openssl('crl2pkcs7', '-nocrl', '-certfile', at('cert.pem'), '-out', at('cert.p7b'));
    openssl(
      ...['pkcs12', '-export', '-in', at('cert.pem'), '-inkey', at('key.pem')],
      ...['-passout', 'pass:secret12', '-out', at('cert.p12')],
    );
    pem = readFileSync(at('cert.pem'), 'utf8');
  });
  after(() => rmSync(directory, { recursive: true }));

  const forms = [
    { type: 'PEM', text: () => pem },
    { type: 'PEMchain', text: () => pem },
    { type: 'PKCS7', text: () => readFileSync(at('cert.p7b'), 'utf8') },
    { type: 'PKCS12', text: () => readFileSync(at('cert.p12')).toString('base64') },
  ];
  for (const { type, text } of forms) {
    it(`may be ${type} in JSON, for POST and for ReplaceCertificate`, async () => {
      const body = {
        CertificateString: text(),
        CertificateType: type,
        ...(type === 'PKCS12' && { Password: 'secret12' }),
      };
      const created = await post(ldap, body);
      assert.equal(created.status, 201, created.text);
      assert.equal(JSON.parse(created.text).CertificateString, pem);
      assert.doesNotMatch(created.text, /Password|PRIVATE/);
      const replaced = await post(replace, { ...body, CertificateUri: `${ldap}/1` });
      assert.equal(replaced.status, 200, replaced.text);
    });
  }

  for (const type of ['application/pkix-cert', 'application/octet-stream']) {
    it(`may be the DER itself as ${type}`, async () => {
      const body = readFileSync(at('cert.der')).toString('latin1');
      const answer = await service.ask('POST', truststore, {
        headers: { 'Content-Type': type },
        binary: Buffer.from(body, 'latin1'),
      });
      assert.equal(answer.status, 201, answer.text);
      assert.equal(JSON.parse(answer.text).CertificateString, pem);
    });
  }

  const addresses = [
    { method: 'POST', path: ldap },
    { method: 'POST', path: '/redfish/v1/AccountService/Accounts/admin/Certificates' },
    { method: 'PUT', path: '/xyz/openbmc_project/certs/server/https' },
  ];
  const types = ['application/x-www-form-urlencoded', 'application/x-pem-file', 'text/plain'];
  for (const { method, path } of addresses) {
    it(`may be the file itself under any content type for ${method} ${path}`, async () => {
      for (const type of types) {
        const garbage = { body: 'garbage', headers: { 'Content-Type': type } };
        assert.equal((await service.ask(method, path, garbage)).status, 400, type);
      }
      const headers = { 'Content-Type': types[0] ?? '' };
      const { status, text } = await service.ask(method, path, { body: pem, headers });
      assert.ok(status === 200 || status === 201, text);
    });
  }

  it('with a wrong password is refused without telling the password', async () => {
    const CertificateString = readFileSync(at('cert.p12')).toString('base64');
    const body = { CertificateString, CertificateType: 'PKCS12', Password: 'wrong-one' };
    const answer = await post(ldap, body);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /password-wrong/);
    assert.doesNotMatch(answer.text + service.log.join(), /wrong-one/);
  });
});

describe('the address of OpenBMC from before Redfish', () => {
  const address = '/xyz/openbmc_project/certs';
  const put = (path: string, body = samplePem) => service.ask('PUT', `${address}${path}`, { body });

  it('puts a certificate in place of the one of a server', async () => {
    const answer = await put('/server/https');
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(JSON.parse(answer.text), { data: null, message: '200 OK', status: 'ok' });
  });

  for (const path of ['/authority/truststore', '/client/ldap', '/server/https'])
    it(`deletes a certificate of ${path}, and answers 405 for one that is not there`, async () => {
      assert.equal((await put(path)).status, 200);
      const answer = await service.ask('DELETE', `${address}${path}/1`);
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.text), { data: null, message: '200 OK', status: 'ok' });
      assert.equal((await service.ask('DELETE', `${address}${path}/1`)).status, 405);
    });

  it('has the second name of an endpoint as well', async () => {
    const truststore = { type: 'authority', name: 'truststore', alias: 'ldap' } as const;
    const collections = () => collectionsOf('bmc', [truststore]);
    const named = await startService({ parts: { collections } });
    try {
      const ask = (method: string, path: string, options?: object) =>
        named.ask(method, `${address}/authority/${path}`, options);
      assert.equal((await ask('PUT', 'ldap', { body: samplePem })).status, 200);
      assert.equal(named.client.list(truststore).length, 1);
      assert.equal((await ask('DELETE', 'ldap/1')).status, 200);
      assert.equal((await ask('DELETE', 'truststore/1')).status, 405);
    } finally {
      await named.close();
    }
  });

  const rows = [
    { code: 'certificate-malformed', status: 400 },
    { code: 'already-installed', status: 400 },
    { code: 'storage', status: 500 },
    { code: 'unavailable', status: 500 },
  ] as const;
  for (const { code, status } of rows) {
    it(`answers ${status} to what the manager refuses as ${code}`, async () => {
      service.client.refusal = new CertError(code, 'no');
      assert.equal((await put('/server/https')).status, status);
    });
  }

  it('answers 405 to DELETE without an id, and 401 without a login', async () => {
    for (const path of ['/server/https', '/client/ldap', '/authority/truststore']) {
      assert.equal((await service.ask('DELETE', `${address}${path}`)).status, 405);
    }
    assert.equal((await service.ask('PUT', `${address}/server/https`, { as: '' })).status, 401);
  });
});

describe('compatibility with the test suite of OpenBMC', () => {
  let old: TestService;
  beforeEach(async () => {
    old = await startService({ compatibility: 'openbmc' });
  });
  afterEach(() => old.close());

  it('answers 200 to what was created and 500 to what was refused', async () => {
    assert.equal((await old.ask('POST', truststore, { body: samplePem })).status, 200);
    const codes = ['certificate-malformed', 'already-installed', 'limit-reached'] as const;
    for (const code of codes) {
      old.client.refusal = new CertError(code, 'no');
      const answer = await old.ask('POST', truststore, { body: samplePem });
      assert.equal(answer.status, 500);
      assert.match(answer.text, new RegExp(code));
    }
    assert.equal((await old.ask('POST', truststore, { body: '' })).status, 500);
  });

  it('leaves everything else as DSP0266 has it', async () => {
    old.client.away = true;
    assert.equal((await old.ask('POST', truststore, { body: samplePem })).status, 503);
    assert.equal((await old.ask('DELETE', `${truststore}/9`)).status, 503);
  });
});
