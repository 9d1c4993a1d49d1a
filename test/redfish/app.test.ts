import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertError } from '../../src/core/cert-error.ts';
import { samplePem, startService, type TestService } from './service.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const alias = '/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';

describe('the Redfish application', () => {
  let service: TestService;

  before(async () => {
    // The event service must not look while a test has the list fail
    service = await startService({ events: { statusCheckSeconds: 3600 } });
    service.client.put({ type: 'server', name: 'https' }, '1', samplePem);
    service.client.put({ type: 'authority', name: 'truststore' }, '3', samplePem);
  });

  after(() => service.close());

  const open = ['/redfish', '/redfish/v1', '/redfish/v1/', '/redfish/v1/odata'];
  for (const path of open) {
    it(`answers GET ${path} to everyone`, async () => {
      const { status, headers } = await service.ask('GET', path, { as: '' });
      assert.equal(status, 200);
      assert.match(String(headers['content-type']), /^application\/json/);
      assert.equal(headers['odata-version'], '4.0');
    });
  }

  const answers: readonly (readonly [string, string, string, number])[] = [
    ['GET', '/redfish/v1', '', 200],
    ['HEAD', '/redfish/v1', '', 200],
    ['GET', '/redfish/v1/Managers', '', 401],
    ['GET', '/redfish/v1/Managers', 'admin', 200],
    ['GET', '/redfish/v1/Nothing', 'admin', 404],
    ['DELETE', '/redfish/v1/Managers', 'admin', 405],
    ['PROPFIND', '/redfish/v1/Managers', 'admin', 405],
    ['GET', '/favicon.ico', '', 401],
    ['GET', '/redfish/v1/$metadata', '', 200],
  ];
  for (const [method, path, as, expected] of answers) {
    it(`protects browsers from ${method} ${path}, answered with ${expected}`, async () => {
      const who = as === '' ? { as } : {};
      const { status, headers } = await service.ask(method, path, who);
      assert.equal(status, expected);
      const protecting = {
        'cache-control': /no-store/,
        'strict-transport-security': /^max-age=\d{8,}/,
        'x-content-type-options': /^nosniff$/,
        'x-frame-options': /^DENY$/,
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
        'referrer-policy': /^no-referrer$/,
        'cross-origin-resource-policy': /^same-origin$/,
      };
      for (const [name, value] of Object.entries(protecting)) {
        assert.match(String(headers[name]), value, name);
      }
      assert.equal(headers['x-powered-by'], undefined);
      assert.equal(headers['access-control-allow-origin'], undefined);
    });
  }

  const tree = [
    '/redfish/v1/SessionService',
    '/redfish/v1/SessionService/Sessions',
    '/redfish/v1/EventService',
    '/redfish/v1/EventService/Subscriptions',
    '/redfish/v1/AccountService',
    '/redfish/v1/CertificateService',
    '/redfish/v1/CertificateService/CertificateLocations',
    '/redfish/v1/Managers',
    '/redfish/v1/Managers/bmc',
    '/redfish/v1/Managers/bmc/NetworkProtocol',
    https,
    `${https}/1`,
    truststore,
    `${truststore}/3`,
    alias,
    `${alias}/3`,
  ];
  for (const path of tree) {
    it(`answers GET ${path} with that very @odata.id, with and without a slash at its end`, async () => {
      for (const asked of [path, `${path}/`]) {
        const { status, text } = await service.ask('GET', asked);
        assert.equal(status, 200, text);
        assert.equal(JSON.parse(text)['@odata.id'], path);
      }
    });

    it(`answers HEAD ${path} with the headers of GET and no body`, async () => {
      const head = await service.ask('HEAD', path);
      const get = await service.ask('GET', path);
      assert.equal(head.status, 200);
      assert.equal(head.text, '');
      assert.equal(head.headers['content-length'], get.headers['content-length']);
    });
  }

  const notAllowed = [
    { method: 'POST', path: '/redfish/v1', allow: 'GET, HEAD' },
    { method: 'DELETE', path: `${https}/1`, allow: 'GET, HEAD' },
    { method: 'PATCH', path: truststore, allow: 'GET, HEAD, POST' },
    { method: 'PUT', path: `${truststore}/3`, allow: 'DELETE, GET, HEAD' },
    { method: 'PATCH', path: `${alias}/3`, allow: 'DELETE, GET, HEAD' },
    { method: 'GET', path: generate, allow: 'POST' },
    { method: 'OPTIONS', path: https, allow: 'GET, HEAD, POST' },
  ];
  for (const { method, path, allow } of notAllowed) {
    it(`refuses ${method} ${path} with 405 and says what is allowed`, async () => {
      const { status, headers, text } = await service.ask(method, path);
      assert.equal(status, 405, text);
      assert.equal(headers.allow, allow);
    });
  }

  const elsewhere = [
    '/redfish/v1/certificateservice',
    '/redfish/v1/Managers/other',
    '/redfish/v1/Managers/other/NetworkProtocol',
    `${https}/2`,
    `${https}/1/2`,
    `${https}/%2e%2e`,
    `${truststore}/__proto__`,
    '/redfish/v2',
    '//',
  ];
  for (const path of elsewhere) {
    it(`has nothing at ${path}`, async () => {
      const { status, text } = await service.ask('GET', path);
      assert.equal(status, 404, text);
      assert.match(text, /Base\.1\.19\.Resource(NotFound|MissingAtURI)/);
    });
  }

  it('lets a ReadOnly user log in but see no certificate', async () => {
    const as = 'reader:reader-pw';
    assert.equal((await service.ask('GET', '/redfish/v1/CertificateService', { as })).status, 200);
    for (const path of [https, `${https}/1`, truststore]) {
      const { status, text } = await service.ask('GET', path, { as });
      assert.equal(status, 403);
      assert.match(text, /InsufficientPrivilege/);
    }
    assert.equal((await service.ask('DELETE', `${truststore}/3`, { as })).status, 403);
    assert.equal((await service.ask('POST', generate, { as, body: {} })).status, 403);
  });

  it('asks scripts of a browser for no Basic login, which would open a dialog', async () => {
    const headers = { 'X-Requested-With': 'XMLHttpRequest' };
    const script = await service.ask('GET', https, { as: '', headers });
    assert.equal(script.status, 401);
    assert.equal(script.headers['www-authenticate'], undefined);
    const other = await service.ask('GET', https, { as: '' });
    assert.match(String(other.headers['www-authenticate']), /^Basic /);
  });

  it('answers 503 with Retry-After while the manager is away, and leaves it out of the locations', async () => {
    service.client.away = true;
    for (const path of [https, `${https}/1`, truststore]) {
      const { status, headers } = await service.ask('GET', path);
      assert.equal(status, 503);
      assert.match(String(headers['retry-after']), /^\d+$/);
    }
    const locations = await service.ask(
      'GET',
      '/redfish/v1/CertificateService/CertificateLocations',
    );
    assert.equal(JSON.parse(locations.text).Links['Certificates@odata.count'], 0);
    service.client.away = false;
  });

  it('tells a client nothing of a fault of its own', async () => {
    service.client.list = () => {
      throw new TypeError('secret detail');
    };
    const { status, text } = await service.ask('GET', https);
    assert.equal(status, 500);
    assert.doesNotMatch(text, /secret|TypeError/);
    Reflect.deleteProperty(service.client, 'list');
  });

  it('names the failing check of a refusal', async () => {
    service.client.refusal = new CertError('storage', 'could not be written (EROFS)');
    const { status, text } = await service.ask('POST', truststore, { body: samplePem });
    assert.equal(status, 500);
    assert.match(text, /storage: could not be written \(EROFS\)/);
    service.client.refusal = new CertError('storage-full', 'the disk is full (ENOSPC)');
    const full = await service.ask('POST', truststore, { body: samplePem });
    assert.equal(full.status, 507);
    assert.match(full.text, /"Message": "storage-full: the disk is full \(ENOSPC\)\."/);
    service.client.refusal = undefined;
  });

  it('lends no credentials of a browser to a page of another site', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'text/plain' };
    const { status } = await service.ask('POST', truststore, { headers, body: samplePem });
    assert.equal(status, 403);
    assert.equal((await service.ask('GET', truststore, { headers })).status, 200);
  });

  it('survives JSON that is nested deeper than its stack', async () => {
    const deep = `${'['.repeat(1900)}${']'.repeat(1900)}`;
    const body = `{"UserName":${deep},"Password":"x"}`;
    const path = '/redfish/v1/SessionService/Sessions';
    assert.equal((await service.ask('POST', path, { as: '', body })).status, 400);
  });

  it('answers in a few words to a body with very many faults', async () => {
    const members = Array.from({ length: 500 }, (_, at) => [`member${at}`.repeat(3), 1]);
    const body = { ...Object.fromEntries(members), ['x'.repeat(5000)]: 1 };
    const { status, text } = await service.ask('POST', truststore, { body });
    assert.equal(status, 400);
    assert.ok(text.length < 20_000, `${text.length} characters`);
  });

  it('refuses a compressed body with 415', async () => {
    const headers = { 'Content-Encoding': 'gzip' };
    const { status } = await service.ask('POST', truststore, { headers, body: 'x' });
    assert.equal(status, 415);
  });

  it('takes no more than a login from somebody it does not know', async () => {
    const body = { UserName: 'admin', Password: 'x'.repeat(5000) };
    const path = '/redfish/v1/SessionService/Sessions';
    assert.equal((await service.ask('POST', path, { as: '', body })).status, 413);
  });
});

describe('GenerateCSR', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
  });

  after(() => service.close());

  const cases = [
    { what: 'nothing', members: {}, algorithm: 'EC', curve: 'secp384r1', bits: 0n },
    {
      what: 'RSA',
      members: { KeyPairAlgorithm: 'RSA' },
      algorithm: 'RSA',
      curve: 'secp384r1',
      bits: 0n,
    },
    {
      what: 'a length alone',
      members: { KeyBitLength: 4096 },
      algorithm: 'RSA',
      curve: 'secp384r1',
      bits: 4096n,
    },
    {
      what: 'a TPM curve',
      members: { KeyCurveId: 'TPM_ECC_NIST_P256' },
      algorithm: 'EC',
      curve: 'TPM_ECC_NIST_P256',
      bits: 0n,
    },
  ];
  for (const { what, members, algorithm, curve, bits } of cases) {
    it(`asks for ${algorithm} when the client gives ${what}`, async () => {
      const body = { CertificateCollection: { '@odata.id': https }, ...members };
      const { status, text } = await service.ask('POST', generate, { body });
      assert.equal(status, 200, text);
      const asked = service.client.requests.at(-1);
      assert.equal(asked?.KeyPairAlgorithm, algorithm);
      assert.equal(asked?.KeyCurveId, curve);
      assert.equal(asked?.KeyBitLength, bits);
      assert.deepEqual(asked?.KeyUsage, ['DigitalSignature', 'ServerAuthentication']);
    });
  }

  const references = [https, `${https}/`, { '@odata.id': https }, { '@odata.id': `${https}/` }];
  for (const reference of references) {
    it(`takes the collection as ${JSON.stringify(reference)}`, async () => {
      const body = { CertificateCollection: reference, CommonName: 'bmc' };
      const { status, text } = await service.ask('POST', generate, { body });
      assert.equal(status, 200, text);
      const expected = typeof reference === 'string' ? reference : reference['@odata.id'];
      assert.equal(JSON.parse(text).CertificateCollection['@odata.id'], expected);
    });
  }

  it('gives a request for the LDAP client the usage of a client', async () => {
    const body = { CertificateCollection: '/redfish/v1/AccountService/LDAP/Certificates' };
    await service.ask('POST', generate, { body });
    assert.deepEqual(service.client.requests.at(-1)?.KeyUsage, [
      'DigitalSignature',
      'ClientAuthentication',
    ]);
  });
});
