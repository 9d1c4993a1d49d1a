import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { must } from '../e2e/commands.ts';
import { paths } from '../fakes/manager-process.ts';
import { type Device, methods, startDevice } from './device.ts';
import { requestFor } from './request-arguments.ts';

const object = `${paths.client}/1`;

/** The rules that we keep where §7 of the contract marks a quirk of upstream. */
describe('a request', () => {
  let device: Device;
  before(async () => {
    device = await startDevice({ limits: { queuedRequests: 50, pendingRequests: 50 } });
    const first = device.pair(device.ca.issue());
    await device.clients('client')[0].call(paths.client, methods.install, first);
  });
  after(() => device?.stop());

  const request = (given = {}, index: 0 | 1 = 0) =>
    device.clients('client')[index].call(paths.client, methods.request, ...requestFor(given));
  const generate = (given = {}) =>
    device.clients('client')[0].call(paths.client, methods.generate, ...requestFor(given));
  const show = (pem: string, ...args: string[]) => must('openssl', ['req', '-noout', ...args], pem);
  const appears = () => device.csrAppears('client');

  it('asks for its names and usages as extensions, and keeps them out of its subject', async () => {
    await generate({
      AlternativeNames: ['DNS:bmc.example.com', 'IP:192.0.2.7'],
      CommonName: 'bmc',
      KeyUsage: [
        'DigitalSignature',
        'KeyAgreement',
        'ServerAuthentication',
        'ClientAuthentication',
      ],
    });
    await appears();
    for (const client of device.clients('client')) {
      const [pem = ''] = await client.call(`${paths.client}/csr`, methods.csr);
      const text = await show(pem, '-text');
      assert.match(text, /Subject: CN = bmc$/m);
      assert.match(text, /DNS:bmc\.example\.com, IP Address:192\.0\.2\.7/);
      assert.match(text, /Key Usage: .*\n\s+Digital Signature, Key Agreement$/m);
      assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/);
    }
  });

  it('carries its challenge password and unstructured name as attributes', async () => {
    const [pem = ''] = await request(
      { ChallengePassword: 'secret', UnstructuredName: 'rack 7' },
      1,
    );
    const text = await show(pem, '-text');
    assert.match(text, /Subject: CN = bmc$/m);
    assert.match(text, /challengePassword +:secret/);
    assert.match(text, /unstructuredName +:rack 7/);
  });

  it('does not name the algorithm of its key in its subject', async () => {
    const [pem = ''] = await request({ CommonName: 'bmc', KeyPairAlgorithm: 'EC' });
    assert.equal((await show(pem, '-subject')).trim(), 'subject=CN = bmc');
  });

  it('writes a name in any script in UTF-8', async () => {
    const [pem = ''] = await request({ Organization: 'Käse 東京' }, 1);
    assert.match(await show(pem, '-subject', '-nameopt', 'utf8'), /O ?= ?Käse 東京/);
  });

  it('every RSA request has a key of its own', async () => {
    const given = { KeyPairAlgorithm: 'RSA', KeyBitLength: 2048n };
    const pems = await Promise.all([request(given), request(given, 1)]);
    const keys = await Promise.all(pems.map(([pem = '']) => show(pem, '-pubkey')));
    assert.equal(new Set(keys).size, 2);
  });

  it('a later request takes no key away: each one is installable, the first one last', async () => {
    const issuer = device.ca.issueCa();
    const pems = [await request({ CommonName: 'one' }), await request({ CommonName: 'two' }, 1)];
    await generate({ Country: 'CHE' });
    for (const [index, [pem = '']] of pems.reverse().entries()) {
      const path = device.ca.write('signed.pem', device.ca.sign(pem, issuer));
      const client = device.clients('client')[index];
      assert.deepEqual(await client?.call(object, methods.replace, path), []);
    }
  });

  it('GenerateCSR overlapping twenty times leaves the daemon alive and each request installable', async () => {
    const pairs = Array.from({ length: 10 }, (_, index) => ({
      CommonName: `host ${index}`,
      KeyCurveId: 'prime256v1',
    }));
    const [pems] = await Promise.all([
      Promise.all(pairs.map((given, index) => request(given, index % 2 === 0 ? 0 : 1))),
      Promise.all(pairs.map((given) => generate(given))),
    ]);
    await appears();
    pems.push(await device.clients('client')[0].call(`${paths.client}/csr`, methods.csr));
    const issuer = device.ca.issueCa();
    for (const [pem = ''] of pems) {
      const path = device.ca.write('signed.pem', device.ca.sign(pem, issuer));
      await device.clients('client')[0].call(object, methods.replace, path);
    }
    await device.clients('client')[1].call(paths.client, methods.ping);
  });

  it('GenerateCSR overlapping twenty times shows the last one, with the limits as they are', async () => {
    await device.restart({});
    const calls = Array.from({ length: 20 }, (_, index) =>
      generate({ CommonName: `host ${index}` }),
    );
    for (const answer of await Promise.all(calls))
      assert.deepEqual(answer, [`${paths.client}/csr`]);
    await appears();
    for (const client of device.clients('client')) {
      const [pem = ''] = await client.call(`${paths.client}/csr`, methods.csr);
      assert.match(await show(pem, '-subject'), /host \d+/);
    }
  });
});
