import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeAuthority, type TestAuthority, writeText } from './certificate-authority.ts';
import { must, until } from './commands.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';
import { type Credentials, credentialsOf, send } from './web-ui-requests.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates/';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates/';
const actions = '/redfish/v1/CertificateService/Actions';
const locations = '/redfish/v1/CertificateService/CertificateLocations';
const sessions = '/redfish/v1/SessionService/Sessions';
const json = 'Content-Type: application/json';
const pemFile = 'Content-Type: application/x-pem-file';

const modes = [
  { name: 'with the cookies of a browser', cookies: true },
  { name: 'with a token in memory', cookies: false },
];

/** Every request of OpenBMC's web UI, in its order, against the whole stack. */
for (const { name, cookies } of modes)
  describe(`the web UI of OpenBMC ${name}`, () => {
    const directory = temporaryDirectory();
    let stack: RunningStack;
    let ca: TestAuthority;
    let credentials: Credentials = [];
    let session = '';

    const get = (path: string, headers: readonly string[] = credentials) =>
      send(stack.url, 'GET', path, { headers });
    const post = (path: string, type: string, body: string) =>
      send(stack.url, 'POST', path, { headers: [type, ...credentials], body });
    const login = (Password: string, headers: readonly string[] = []) =>
      send(stack.url, 'POST', sessions, {
        headers: [json, ...headers],
        body: JSON.stringify({ UserName: 'admin', Password }),
        // Whoever asks for a session by a script gets it as cookies
        scripted: cookies,
      });
    const listed = async () => {
      const { json } = await get(locations);
      return Object.values(json.Links?.Certificates ?? {}).map((one) => String(one['@odata.id']));
    };

    before(async () => {
      ca = await makeAuthority(directory, 'Web CA');
      const www = join(directory, 'www');
      mkdirSync(join(www, 'js'), { recursive: true });
      writeFileSync(join(www, 'index.html.gz'), gzipSync('<!doctype html>page'));
      const file = writeText(
        directory,
        'up.json',
        JSON.stringify({ redfish: { webUi: { directory: www } } }),
      );
      stack = await startStack(directory, ['--config', file]);
    });
    after(async () => {
      await stack?.stop();
      removeDirectory(directory);
    });

    it('is loaded without a login', async () => {
      const { status, text, headers } = await get('/', []);
      assert.equal(status, 200);
      assert.equal(text, '<!doctype html>page');
      assert.match(headers.get('content-security-policy') ?? '', /form-action 'none'/);
    });

    it('stays what it was at the start when its files change, on SIGHUP too', async () => {
      writeFileSync(join(directory, 'www', 'index.html.gz'), gzipSync('<!doctype html>other'));
      const reloads = () => stack.output().split('reload asked for').length;
      const earlier = reloads();
      process.kill(Number(readFileSync(join(stack.state, 'run', 'redfish.pid'), 'utf8')), 'SIGHUP');
      await until('the reload is noted', () => reloads() > earlier);
      assert.equal((await get('/', [])).text, '<!doctype html>page');
    });

    it('learns of a wrong password, and of a missing login, without a dialog of the browser', async () => {
      const refused = await login('wrong');
      const stranger = await get('/redfish/v1/Managers', []);
      for (const { status } of [refused, stranger]) assert.equal(status, 401);
      assert.equal(stranger.headers.get('www-authenticate'), undefined);
      // Who does not say that he is a script is challenged like any other client
      assert.equal(refused.headers.has('www-authenticate'), !cookies);
    });

    it('logs in', async () => {
      const answer = await login(stack.password);
      assert.equal(answer.status, 201);
      assert.deepEqual(answer.json.Roles, ['Administrator']);
      session = answer.headers.get('location') ?? '';
      credentials = credentialsOf(answer);
      assert.equal((await get(session)).status, 200);
    });

    it('gets its secrets in one place only, with all that protects them there', async () => {
      const answer = await login(stack.password, credentials);
      const token = answer.headers.get('x-auth-token');
      if (!cookies) {
        assert.match(token ?? '', /^[0-9a-f]{64}$/);
        assert.deepEqual(answer.cookies, []);
        assert.ok(!answer.text.includes(token ?? ''));
        return;
      }
      assert.equal(token, undefined);
      const [readable = '', hidden = '', ...others] = answer.cookies;
      assert.match(readable, /^XSRF-TOKEN=[0-9a-f]{32}; Path=\/; SameSite=Strict; Secure$/);
      assert.match(
        hidden,
        /^BMCWEB-SESSION=[0-9a-f]{64}; Path=\/; SameSite=Strict; Secure; HttpOnly$/,
      );
      assert.deepEqual(others, []);
      for (const cookie of answer.cookies) {
        const secret = /=(\w+);/.exec(cookie)?.[1] ?? '';
        assert.ok(!answer.text.includes(secret));
        assert.ok(!credentials.join().includes(secret), 'a login has secrets of its own');
      }
    });

    it(`${cookies ? 'finds its session again' : 'is logged out'} after a reload`, async () => {
      // All that is left then is what the browser sends by itself
      const left = credentials.filter((header) => header.startsWith('Cookie: '));
      const { status, headers } = await get(session, left);
      assert.equal(status, cookies ? 200 : 401);
      assert.equal(headers.get('www-authenticate'), undefined);
    });

    const changes = [
      { method: 'POST', path: truststore },
      { method: 'POST', path: `${actions}/CertificateService.GenerateCSR` },
      { method: 'POST', path: `${actions}/CertificateService.ReplaceCertificate` },
      { method: 'DELETE', path: `${https}1` },
      { method: 'PATCH', path: '/redfish/v1/SessionService' },
      { method: 'DELETE', path: undefined },
    ];
    for (const { method, path } of cookies ? changes : []) {
      it(`may not ${method} ${path ?? 'its session'} with its cookies alone`, async () => {
        const [cookie = '', header = ''] = credentials;
        const other = header.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
        assert.match(header, /^X-XSRF-TOKEN: /);
        for (const incomplete of [[cookie], [cookie, 'X-XSRF-TOKEN:'], [cookie, other], [header]]) {
          const headers = [json, ...incomplete];
          const answer = await send(stack.url, method, path ?? session, { headers, body: '{}' });
          assert.equal(answer.status, 401, incomplete.join());
          assert.equal(answer.headers.get('www-authenticate'), undefined);
        }
        assert.equal((await get(session, [cookie])).status, 200);
      });
    }

    it('reads what its shell shows', async () => {
      assert.equal((await get('/redfish/v1')).status, 200);
      const managers = await get('/redfish/v1/Managers');
      assert.deepEqual(managers.json.Members, [{ '@odata.id': '/redfish/v1/Managers/bmc' }]);
      const manager = await get('/redfish/v1/Managers/bmc');
      assert.ok(Number.isFinite(Date.parse(String(manager.json.DateTime))));
    });

    const kept = ['/redfish/v1', '/redfish/v1/Managers', locations, `${https}1`];
    for (const path of kept) {
      it(`is told that what it keeps of ${path} is still so`, async () => {
        const etag = (await get(path)).headers.get('etag') ?? '';
        assert.match(etag, /^"[^"]+"$/);
        const { status, text, headers } = await get(path, [
          ...credentials,
          `If-None-Match: ${etag}`,
        ]);
        assert.deepEqual([status, text], [304, '']);
        assert.equal(headers.get('etag'), etag);
        const stranger = await get(path, [`If-None-Match: ${etag}`]);
        assert.equal(stranger.status, path === '/redfish/v1' ? 304 : 401);
      });
    }

    it('learns the time anew on each visit, since it counts the days to expiry from it', async () => {
      const { headers } = await get('/redfish/v1/Managers/bmc');
      const known = `If-None-Match: ${headers.get('etag')}`;
      const { status, json } = await get('/redfish/v1/Managers/bmc', [...credentials, known]);
      assert.equal(status, 200);
      assert.ok(Number.isFinite(Date.parse(String(json.DateTime))));
    });

    const absent = [
      ...[
        '/redfish/v1/Systems',
        '/redfish/v1/Chassis',
        '/redfish/v1/UpdateService/FirmwareInventory',
      ],
      ...['/redfish/v1/Managers/bmc/EthernetInterfaces', '/undefined', '/undefined/Bios'],
      '/undefined/LogServices/EventLog/Entries',
    ];
    for (const path of absent) {
      it(`is told by 404 in JSON, which does not log it out, that there is no ${path}`, async () => {
        const { status, headers, json } = await get(path);
        assert.equal(status, 404);
        assert.match(headers.get('content-type') ?? '', /^application\/json/);
        assert.match(String(json.error?.code), /\.ResourceMissingAtURI$/);
      });
    }

    const requests = [
      { where: https, key: { KeyPairAlgorithm: 'EC', KeyCurveId: 'prime256v1' }, says: /256 bit/ },
      { where: ldap, key: { KeyPairAlgorithm: 'EC', KeyCurveId: 'secp384r1' }, says: /384 bit/ },
      { where: ldap, key: { KeyPairAlgorithm: 'RSA', KeyBitLength: 2048 }, says: /2048 bit/ },
    ];
    for (const { where, key, says } of requests) {
      it(`makes a request of ${Object.values(key).join(' ')} for ${where}`, async () => {
        const { status, json: body } = await post(
          `${actions}/CertificateService.GenerateCSR`,
          json,
          requestBody(where, key),
        );
        assert.equal(status, 200);
        const text = await must(
          'openssl',
          ['req', '-noout', '-text', '-verify'],
          String(body.CSRString),
        );
        assert.match(text, says);
        assert.match(text, /CN ?= ?bmc\.example/);
      });
    }

    it('adds the answer to its request for LDAP, and a CA, as files', async () => {
      const { json: made } = await post(
        `${actions}/CertificateService.GenerateCSR`,
        json,
        requestBody(ldap, { KeyPairAlgorithm: 'EC', KeyCurveId: 'prime256v1' }),
      );
      const signed = await ca.sign(String(made.CSRString));
      const known = `If-None-Match: ${(await get(locations)).headers.get('etag')}`;
      for (const [where, pem] of [
        [ldap, signed],
        [truststore, ca.pem],
      ] as const) {
        const { status, text } = await post(where, pemFile, pem);
        assert.ok(status >= 200 && status < 300, text);
      }
      const { status } = await get(locations, [...credentials, known]);
      assert.equal(status, 200, 'what it keeps is outdated');
    });

    it('shows every certificate of the locations under the names it knows', async () => {
      const shown = [];
      for (const uri of await listed()) {
        const { status, json } = await get(uri);
        assert.equal(status, 200);
        assert.equal(json['@odata.id'], uri);
        assert.ok(Date.parse(String(json.ValidNotAfter)) > Date.parse(String(json.ValidNotBefore)));
        shown.push(json.Name);
      }
      assert.deepEqual(shown.map(String).sort(), [
        'HTTPS Certificate',
        'LDAP Certificate',
        'TrustStore Certificate',
      ]);
    });

    it('replaces the certificate of HTTPS', async () => {
      const { key, pem } = await ca.issue('bmc.example', ['-newkey', 'rsa:2048']);
      const body = {
        CertificateString: key + pem,
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': `${https}1` },
      };
      const path = `${actions}/CertificateService.ReplaceCertificate`;
      const { status, text } = await post(path, json, JSON.stringify(body));
      assert.ok(status >= 200 && status < 300, text);
      assert.match(text === '' ? 'empty' : text, /^(?![\s\S]*PRIVATE KEY)/);
      const { json: shown } = await get(`${https}1`);
      assert.equal(shown.Subject?.CommonName, 'bmc.example');
    });

    it('deletes the CA', async () => {
      const uri = (await listed()).find((one) => one.startsWith(truststore)) ?? '';
      const { status } = await send(stack.url, 'DELETE', uri, { headers: credentials });
      assert.equal(status, 204);
      assert.ok(!(await listed()).includes(uri));
    });

    it('logs out', async () => {
      const answer = await send(stack.url, 'DELETE', session, { headers: credentials });
      assert.equal(answer.status, 200);
      const forgotten = [
        'XSRF-TOKEN=; Path=/; SameSite=Strict; Secure; Max-Age=0',
        'BMCWEB-SESSION=; Path=/; SameSite=Strict; Secure; HttpOnly; Max-Age=0',
      ];
      assert.deepEqual(answer.cookies, cookies ? forgotten : []);
      for (const path of [locations, session]) {
        const after = await get(path);
        assert.equal(after.status, 401);
        assert.equal(after.headers.get('www-authenticate'), undefined);
      }
    });

    it('logs in again in a browser that still has the cookies of a session that ended', async () => {
      const answer = await login(stack.password, credentials);
      assert.equal(answer.status, 201);
      assert.equal((await get('/redfish/v1/Managers', credentialsOf(answer))).status, 200);
    });
  });

/** The members in the order in which the dialog of the web UI sends them. */
function requestBody(where: string, key: object): string {
  return JSON.stringify({
    CertificateCollection: { '@odata.id': where },
    Country: 'DE',
    State: 'Bayern',
    City: 'München',
    Organization: 'Test, Inc.',
    OrganizationalUnit: 'Lab',
    CommonName: 'bmc.example',
    ContactPerson: 'An Operator',
    Email: 'operator@bmc.example',
    AlternativeNames: [],
    ...key,
  });
}
