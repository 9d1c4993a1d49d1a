import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { must } from '../e2e/commands.ts';
import { paths } from '../fakes/manager-process.ts';
import type { Argument } from './clients.ts';
import { assertRefused, type Device, errors, methods, startDevice, types } from './device.ts';
import { requestFor } from './request-arguments.ts';

type Given = Readonly<Record<string, Argument>>;

const root = paths.client;
const csr = `${root}/csr`;

/** Contract §4 and §7. */
describe('a request', () => {
  let device: Device;
  before(async () => {
    device = await startDevice();
  });
  after(() => device?.stop());

  const begin = async (given: Given, index: 0 | 1 = 0) => {
    const client = device.clients('client')[index];
    assert.deepEqual(await client.call(root, methods.generate, ...requestFor(given)), [csr]);
    await appears();
  };
  const appears = () => device.csrAppears('client');
  /** The request as each client program reads it. */
  const text = async () => {
    const [first, ...others] = await Promise.all(
      device.clients('client').map((client) => client.call(csr, methods.csr)),
    );
    for (const other of others) assert.deepEqual(other, first);
    const [pem = ''] = first ?? [];
    assert.match(pem, /^-----BEGIN CERTIFICATE REQUEST-----\n/);
    const show = ['-noout', '-text', '-nameopt', 'sep_comma_plus,utf8'];
    return must('openssl', ['req', '-verify', ...show], pem);
  };

  for (const type of types) {
    it(`of the ${type} is an unknown object before the first one`, async () => {
      const refused = await device.refusals(type, `${paths[type]}/csr`, methods.csr);
      assertRefused(refused, errors.unknownObject);
    });
  }

  const keys: readonly { given: Given; key: RegExp }[] = [
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'prime256v1' }, key: /OID: prime256v1/ },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'secp384r1' }, key: /OID: secp384r1/ },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'secp521r1' }, key: /OID: secp521r1/ },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'secp224r1' }, key: /OID: secp224r1/ },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'secp256k1' }, key: /OID: secp256k1/ },
    {
      given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'brainpoolP256r1' },
      key: /OID: brainpoolP256r1/,
    },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: '1.3.132.0.34' }, key: /OID: secp384r1/ },
    { given: { KeyPairAlgorithm: 'EC' }, key: /OID: secp384r1/ },
    { given: { KeyPairAlgorithm: '', KeyCurveId: 'prime256v1' }, key: /OID: prime256v1/ },
    { given: {}, key: /OID: secp384r1/ },
    { given: { KeyPairAlgorithm: 'RSA', KeyBitLength: 2048n }, key: /Public-Key: \(2048 bit\)/ },
  ];
  for (const [index, { given, key }] of keys.entries()) {
    it(`with ${describeGiven(given)} is for the key ${key.source}`, async () => {
      await begin({ CommonName: 'bmc', ...given }, index % 2 === 0 ? 0 : 1);
      const shown = await text();
      assert.match(shown, key);
      assert.match(shown, /Version: 1 \(0x0\)/);
    });
  }

  /** Upstream has SHA-256 for all; a digest as strong as the curve is what RFC 5480 §4 asks for. */
  const digests = { prime256v1: 'SHA256', secp384r1: 'SHA384', secp521r1: 'SHA512' };
  for (const [curve, digest] of Object.entries(digests)) {
    it(`for ${curve} is signed with ${digest}`, async () => {
      await begin({ KeyCurveId: curve });
      assert.match(await text(), new RegExp(`Signature Algorithm: ecdsa-with-${digest}`));
    });
  }

  /** Upstream refuses these, though Redfish knows them; no client can depend on the refusal. */
  const beyondUpstream: readonly { given: Given; key: RegExp }[] = [
    { given: { KeyPairAlgorithm: 'RSA' }, key: /\(2048 bit\)/ },
    { given: { KeyPairAlgorithm: 'TPM_ALG_RSA', KeyBitLength: 2048n }, key: /\(2048 bit\)/ },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'P-256' }, key: /OID: prime256v1/ },
    { given: { KeyPairAlgorithm: 'EC', KeyCurveId: 'TPM_ECC_NIST_P384' }, key: /OID: secp384r1/ },
  ];
  for (const { given, key } of beyondUpstream) {
    it(`with ${describeGiven(given)}, beyond upstream, is for the key ${key.source}`, async () => {
      await begin(given);
      assert.match(await text(), key);
    });
  }

  it('has the attributes of its subject in the order of the contract', async () => {
    await begin({
      ...{ City: 'Austin', CommonName: 'bmc', ContactPerson: 'Jo', Country: 'US', Email: 'a@b.c' },
      ...{ GivenName: 'Jo', Initials: 'JD', Organization: 'Acme', OrganizationalUnit: 'Lab' },
      ...{ State: 'Texas', Surname: 'Do' },
    });
    const subject =
      'L=Austin,CN=bmc,name=Jo,C=US,emailAddress=a@b.c,GN=Jo,initials=JD,O=Acme,OU=Lab,ST=Texas,SN=Do';
    assert.match(await text(), new RegExp(`Subject: ${subject}$`, 'm'));
  });

  const lengths: readonly [name: string, max: number][] = [
    ['CommonName', 64],
    ['Organization', 64],
    ['OrganizationalUnit', 64],
    ['City', 128],
    ['State', 128],
    ['Email', 128],
  ];
  for (const [name, max] of lengths) {
    it(`fails with ${max + 1} characters for ${name}`, async () => {
      await begin({ [name]: 'x'.repeat(max + 1) });
      assertRefused(await device.refusals('client', csr, methods.csr), errors.internalFailure);
    });
  }

  it('takes as many characters as X.520 allows', async () => {
    const full = lengths.map(([name, max]) => [name, 'ä'.repeat(max)]);
    await begin({ ...Object.fromEntries(full), Email: 'x'.repeat(128) });
    const shown = await text();
    for (const max of [64, 128]) assert.match(shown, new RegExp(`=ä{${max}}[,\\n]`));
  });

  const hopeless: readonly Given[] = [
    { KeyPairAlgorithm: 'RSA', KeyBitLength: 1024n },
    { KeyPairAlgorithm: 'RSA', KeyBitLength: -1n },
    { KeyPairAlgorithm: 'rsa', KeyBitLength: 2048n },
    { KeyPairAlgorithm: 'DSA' },
    { KeyPairAlgorithm: 'ED25519' },
    { KeyPairAlgorithm: 'EC', KeyCurveId: 'ED25519' },
    { KeyPairAlgorithm: 'EC', KeyCurveId: 'Q-1' },
    { Country: 'CHE' },
    { Country: 'C' },
    { Email: 'jürg@example.com' },
    { KeyUsage: ['Everything'] },
  ];
  for (const [index, given] of hopeless.entries()) {
    it(`with ${describeGiven(given)} is answered and announced, and then InternalFailure`, async () => {
      await begin(given, index % 2 === 0 ? 0 : 1);
      const refused = await device.refusals('client', csr, methods.csr);
      assert.match(assertRefused(refused, errors.internalFailure), /^request-failed: /);
    });
  }

  it('is made as well after one that failed', async () => {
    await begin({ Country: 'CHE' });
    await begin({ CommonName: 'again' });
    assert.match(await text(), /Subject: CN=again$/m);
  });

  it('is answered before its key is made, and has no object until then', async () => {
    const given = requestFor({ KeyPairAlgorithm: 'RSA', KeyBitLength: 3072n });
    await device.clients('client')[1].call(root, methods.generate, ...given);
    assertRefused(await device.refusals('client', csr, methods.csr), errors.unknownObject);
    await appears();
    assert.match(await text(), /\(3072 bit\)/);
  });

  it('is not there any more after a restart', async () => {
    await device.restart();
    assertRefused(await device.refusals('client', csr, methods.csr), errors.unknownObject);
  });

  for (const type of ['server', 'client'] as const) {
    it(`of the ${type} waits with its key for the certificate, which comes without one`, async () => {
      const issuer = device.ca.issueCa();
      for (const client of device.clients(type)) {
        const [pem = ''] = await client.call(paths[type], methods.request, ...requestFor({}));
        const signed = device.ca.write('signed.pem', device.ca.sign(pem, issuer));
        const isFirst = type === 'client' && (await device.ids(type)).length === 0;
        if (isFirst) await client.call(paths[type], methods.install, signed);
        else await client.call(`${paths[type]}/1`, methods.replace, signed);
      }
    });
  }

  it('works at the authority too', async () => {
    for (const client of device.clients('authority')) {
      const answer = await client.call(paths.authority, methods.generate, ...requestFor({}));
      assert.deepEqual(answer, [`${paths.authority}/csr`]);
      await device.csrAppears('authority');
      const [pem = ''] = await client.call(`${paths.authority}/csr`, methods.csr);
      await must('openssl', ['req', '-verify', '-noout'], pem);
    }
  });
});

function describeGiven(given: Given): string {
  const parts = Object.entries(given).map(([name, value]) => `${name} "${value}"`);
  return parts.length === 0 ? 'nothing' : parts.join(' and ');
}
