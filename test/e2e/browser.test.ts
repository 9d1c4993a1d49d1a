import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { makeAuthority, type TestAuthority, writeText } from './certificate-authority.ts';
import { type Browser, startChromium } from './chromium.ts';
import { must, until } from './commands.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates/';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates/';
const actions = '/redfish/v1/CertificateService/Actions';
const locations = '/redfish/v1/CertificateService/CertificateLocations';

interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A page of ours that asks as OpenBMC's web UI does, in a real browser. */
describe('a page in Chromium', () => {
  const directory = temporaryDirectory();
  let stack: RunningStack;
  let ca: TestAuthority;
  let browser: Browser;

  const call = (name: string, ...args: readonly unknown[]) =>
    browser.evaluate<PageAnswer>(`${name}(${args.map((one) => JSON.stringify(one)).join(', ')})`);
  const state = () => browser.evaluate("document.querySelector('#state').textContent");
  const violations = () => browser.evaluate<string[]>('violations');
  const isSettled = async () => (await state()) !== 'starting';
  const listed = async () => {
    const { status, text } = await call('ask', 'GET', locations);
    assert.equal(status, 200);
    const { Links } = JSON.parse(text);
    return Links.Certificates.map((one: Record<string, string>) => one['@odata.id']);
  };

  before(async () => {
    ca = await makeAuthority(directory, 'Browser CA');
    const www = join(directory, 'www');
    cpSync(fileURLToPath(new URL('web-page', import.meta.url)), www, { recursive: true });
    // The build of the web UI has its scripts in compressed form only
    const script = join(www, 'js', 'page.js');
    writeFileSync(`${script}.gz`, gzipSync(readFileSync(script)));
    rmSync(script);
    const configuration = JSON.stringify({ redfish: { webUi: { directory: www } } });
    const file = writeText(directory, 'up.json', configuration);
    stack = await startStack(directory, ['--config', file]);
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    await stack?.stop();
    removeDirectory(directory);
  });

  it('is loaded with its style and its compressed script, and breaks no rule', async () => {
    await browser.open(`${stack.url}/`);
    await until('the page has started', isSettled);
    assert.equal(await state(), 'logged out');
    const border = "getComputedStyle(document.querySelector('#state')).borderLeftWidth";
    assert.equal(await browser.evaluate(border), '7px');
    assert.deepEqual(await violations(), []);
  });

  it('gets its answer to a wrong password, and the browser asks for none', async () => {
    const { status, headers, text } = await call('login', 'admin', 'wrong');
    assert.equal(status, 401);
    assert.equal(headers['www-authenticate'], undefined);
    assert.ok(JSON.parse(text).error);
    assert.equal(await state(), 'logged out');
  });

  it('logs in with a cookie that it can read and one that it cannot', async () => {
    const { status, headers, text } = await call('login', 'admin', stack.password);
    assert.equal(status, 201, text);
    assert.equal(headers['x-auth-token'], undefined);
    assert.match(headers.location ?? '', /^\/redfish\/v1\/SessionService\/Sessions\/\w+$/);
    assert.match(await browser.evaluate<string>('document.cookie'), /^XSRF-TOKEN=[0-9a-f]{32}$/);
    assert.equal(await state(), 'logged in');
  });

  it('is still logged in when it is loaded again', async () => {
    await browser.reload();
    await until('the page has started', isSettled);
    assert.equal(await state(), 'logged in');
  });

  it('reads every certificate, and is told that nothing changed when it has the tag', async () => {
    const uris = await listed();
    assert.ok(uris.includes(`${https}1`));
    for (const uri of ['/redfish/v1', locations, ...uris]) {
      const first = await call('ask', 'GET', uri);
      assert.equal(first.status, 200);
      const headers = { 'If-None-Match': first.headers.etag };
      const second = await call('ask', 'GET', uri, { headers });
      assert.deepEqual([second.status, second.text], [304, ''], uri);
    }
  });

  it('makes a request, and uploads the answer as a file', async () => {
    const { status, text } = await call(
      'askJson',
      'POST',
      `${actions}/CertificateService.GenerateCSR`,
      requestFor(ldap),
    );
    assert.equal(status, 200, text);
    const { CSRString } = JSON.parse(text);
    assert.match(
      await must('openssl', ['req', '-noout', '-subject'], CSRString),
      /M(\\C3\\BC|ü)nchen/,
    );
    const added = await call('upload', ldap, await ca.sign(CSRString));
    assert.equal(added.status, 201, added.text);
    assert.ok((await listed()).includes(added.headers.location));
  });

  it('uploads a CA, and deletes it', async () => {
    const added = await call('upload', truststore, ca.pem);
    assert.equal(added.status, 201, added.text);
    const uri = added.headers.location ?? '';
    assert.ok((await listed()).includes(uri));
    assert.equal((await call('ask', 'DELETE', uri)).status, 204);
    assert.ok(!(await listed()).includes(uri));
  });

  it('replaces the certificate under its own connection, and is still logged in', async () => {
    const { key, pem } = await ca.issue('bmc.example', ['-newkey', 'rsa:2048']);
    const { status, text } = await call(
      'askJson',
      'POST',
      `${actions}/CertificateService.ReplaceCertificate`,
      {
        CertificateString: key + pem,
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': `${https}1` },
      },
    );
    assert.ok(status >= 200 && status < 300, text);
    const { text: shown } = await call('ask', 'GET', `${https}1`);
    assert.equal(JSON.parse(shown).Subject.CommonName, 'bmc.example');
    await browser.reload();
    await until('the page has started', isSettled);
    assert.equal(await state(), 'logged in');
  });

  it('is not left when a form without a handler is submitted', async () => {
    await browser.evaluate("globalThis.mark = 'same page'");
    await browser.evaluate("document.querySelector('#request button').click()");
    await until('the form is refused', async () => (await violations()).includes('form-action'));
    assert.equal(await browser.evaluate('mark'), 'same page');
    assert.equal(await browser.evaluate('location.href'), `${stack.url}/`);
    assert.deepEqual(await violations(), ['form-action']);
  });

  it('runs no script that markup brings in', async () => {
    const markup = '<button onclick="globalThis.injected = true" id="markup"></button>';
    await browser.evaluate(`document.body.insertAdjacentHTML('beforeend', \`${markup}\`)`);
    await browser.evaluate("document.querySelector('#markup').click()");
    await until('the script is refused', async () =>
      (await violations()).includes('script-src-attr'),
    );
    assert.equal(await browser.evaluate('typeof injected'), 'undefined');
  });

  it('of another site changes nothing and reads nothing with the cookies of the browser', async () => {
    const earlier = await listed();
    const elsewhere = createServer((_req, res) => {
      res.setHeader('Content-Type', 'text/html');
      res.end('<!doctype html><link rel=icon href="data:,">another site');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, 'localhost', resolve));
    try {
      const { port } = elsewhere.address() as AddressInfo;
      await browser.open(`http://localhost:${port}/`);
      const seen = browser.statuses().length;
      const forge = (body: string) =>
        browser.evaluate(`fetch(${JSON.stringify(stack.url + truststore)}, {
          method: 'POST', mode: 'no-cors', credentials: 'include', body: ${JSON.stringify(body)},
        }).then(() => 'sent', () => 'sent')`);
      await forge(ca.pem);
      await until('the forged upload is answered', () => browser.statuses().length > seen);
      assert.equal(browser.statuses().at(-1), 401);
      const read = `fetch(${JSON.stringify(stack.url + locations)}, { credentials: 'include' })
        .then((answer) => answer.text(), () => 'refused')`;
      assert.equal(await browser.evaluate(read), 'refused');
    } finally {
      elsewhere.closeAllConnections();
      elsewhere.close();
    }
    await browser.open(`${stack.url}/`);
    await until('the page has started', isSettled);
    assert.equal(await state(), 'logged in');
    assert.deepEqual(await listed(), earlier);
  });

  it('logs out, and the browser forgets', async () => {
    assert.equal((await call('logout')).status, 200);
    assert.equal(await browser.evaluate('document.cookie'), '');
    assert.equal((await call('ask', 'GET', locations)).status, 401);
    await browser.reload();
    await until('the page has started', isSettled);
    assert.equal(await state(), 'logged out');
  });
});

/** The members in the order in which the dialog of the web UI sends them. */
function requestFor(where: string) {
  return {
    CertificateCollection: { '@odata.id': where },
    Country: 'DE',
    State: 'Bayern',
    City: 'München',
    Organization: 'Test, Inc.',
    OrganizationalUnit: 'Lab',
    CommonName: 'bmc.example',
    KeyPairAlgorithm: 'EC',
    AlternativeNames: [],
    KeyCurveId: 'prime256v1',
  };
}
