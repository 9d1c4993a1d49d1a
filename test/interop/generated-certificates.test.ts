import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';
import type { HostIdentity, SelfSignedPolicy } from '../../src/manager/endpoint-dependencies.ts';
import { type Curve, exportPrivateKey } from '../../src/x509/keys.ts';
import { writeText } from '../e2e/certificate-authority.ts';
import { must, run } from '../e2e/commands.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';
import { isFor, oneLine, trustByGnutls } from './tools.ts';

const schemaFile = new URL('../../schemas/configuration.json', import.meta.url);
const { properties: schema } = JSON.parse(readFileSync(schemaFile, 'utf8'));
const { curve, validDays } = schema.selfSigned.properties;
/** What the configuration allows, so that a new curve is tested with everyone's tools at once. */
const curves: readonly Curve[] = curve.enum;
const maxDays: number = validDays.maximum;

const shownCurves: Readonly<Record<string, readonly [string, string]>> = {
  prime256v1: ['prime256v1', 'SECP256R1'],
  secp384r1: ['secp384r1', 'SECP384R1'],
  secp521r1: ['secp521r1', 'SECP521R1'],
};

const plain: HostIdentity = {
  hostName: 'bmc.example.com',
  addresses: ['192.0.2.7', '2001:db8::7'],
};
const identities: readonly (readonly [string, HostIdentity])[] = [
  ['a name with a domain', plain],
  ['a bare name and no address', { hostName: 'bmc', addresses: [] }],
  [
    'a name longer than a common name may be',
    { hostName: `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`, addresses: ['192.0.2.7'] },
  ],
  ['a name beyond ASCII', { hostName: 'büro.example.com', addresses: ['fe80::1'] }],
];

const daySeconds = 86_400;

interface Expectation {
  readonly pem: string;
  readonly key: string;
  readonly path: string;
  readonly host: string;
  readonly trusted: boolean;
}

async function assertTrust({ pem, key, path, host, trusted }: Expectation): Promise<void> {
  const answer = await trustByGnutls({ cert: pem, key }, path, host);
  const words = trusted ? /is trusted/ : /does not match the expected/;
  assert.match(answer, words, host);
}

it('has curves to choose from', () => assert.ok(curves.length > 0));

for (const name of curves) {
  describe(`a generated certificate on ${name}`, () => {
    const policy: SelfSignedPolicy = {
      validDays: maxDays,
      renewBeforeDays: 30,
      curve: name,
      organization: 'Zürich + Söhne, Inc.',
    };
    let directory: string;
    let path: string;
    let key: string;
    let keyPath: string;
    before(() => {
      directory = temporaryDirectory();
      const { leaf, key: generated } = generateCertificate(plain, policy, Date.now());
      path = writeText(directory, 'leaf.pem', leaf.pem);
      key = exportPrivateKey(generated);
      keyPath = writeText(directory, 'key.pem', key);
    });
    after(() => removeDirectory(directory));

    const hosts = ['bmc.example.com', 'bmc', 'localhost'];
    const addresses = ['192.0.2.7', '2001:db8::7'];

    it('is verified by openssl, strictly, for every name, with itself as the anchor', async () => {
      const anchor = ['-no-CApath', '-no-CAstore', '-CAfile', path, path];
      const strict = ['verify', '-x509_strict', '-check_ss_sig', '-purpose', 'sslserver'];
      const names = [
        ...hosts.map((host) => ['-verify_hostname', host]),
        ...addresses.map((address) => ['-verify_ip', address]),
      ];
      for (const option of names) await must('openssl', [...strict, ...option, ...anchor]);
      const other = ['-verify_hostname', 'other.example.com'];
      assert.notEqual((await run('openssl', [...strict, ...other, ...anchor])).status, 0);
    });

    it('is for the names and addresses of the host and no others', async () => {
      for (const host of hosts) assert.ok(await isFor(path, '-checkhost', host), host);
      for (const address of addresses) assert.ok(await isFor(path, '-checkip', address), address);
      assert.ok(!(await isFor(path, '-checkhost', 'other.example.com')));
      assert.ok(!(await isFor(path, '-checkip', '192.0.2.8')));
    });

    it('is trusted by a GnuTLS client with itself as the anchor, for its names alone', async () => {
      const pem = readFileSync(path, 'utf8');
      for (const host of hosts) await assertTrust({ pem, key, path, host, trusted: true });
      await assertTrust({ pem, key, path, host: 'other.example.com', trusted: false });
    });

    it('is shown by certtool with what it is for', async () => {
      const text = oneLine(await must('certtool', ['--certificate-info', '--infile', path]));
      const parts = [
        `Curve: ${shownCurves[name]?.[1]}`,
        'Certificate Authority (CA): FALSE',
        'DNSname: bmc.example.com DNSname: bmc DNSname: localhost',
        'IPAddress: 192.0.2.7 IPAddress: 2001:db8::7',
        'Key Usage (critical): Digital signature.',
        'Key Purpose (not critical): TLS WWW Server.',
        'O=Zürich \\+ Söhne\\, Inc.',
      ];
      for (const part of parts) assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
    });

    it('is good now, and for as long as browsers accept and no longer', async () => {
      const text = await must('openssl', ['x509', '-noout', '-text', '-in', path]);
      assert.ok(text.includes(`ASN1 OID: ${shownCurves[name]?.[0]}`));
      const begin = Date.parse(/Not Before: (.*)/.exec(text)?.[1] ?? '') / 1000;
      const end = Date.parse(/Not After : (.*)/.exec(text)?.[1] ?? '') / 1000;
      assert.ok(begin <= Date.now() / 1000, text);
      assert.ok(end - begin > (maxDays - 1) * daySeconds, text);
      assert.ok(end - begin <= 397 * daySeconds, text);
    });

    it('is for the key that was made with it', async () => {
      const ofKey = await must('openssl', ['pkey', '-check', '-pubout', '-in', keyPath]);
      const ofLeaf = await must('openssl', ['x509', '-noout', '-pubkey', '-in', path]);
      assert.ok(ofKey.includes(ofLeaf));
    });

    for (const [what, identity] of identities) {
      it(`is trusted by both libraries for ${what}`, async () => {
        const pair = generateCertificate(identity, policy, Date.now());
        const { pem, alternativeNames } = pair.leaf;
        const named = writeText(directory, 'named.pem', pem);
        await must('openssl', ['verify', '-x509_strict', '-CAfile', named, named]);
        for (const { kind, value } of alternativeNames) {
          assert.ok(await isFor(named, kind === 'ip' ? '-checkip' : '-checkhost', value), value);
        }
        const host = alternativeNames[0]?.value ?? '';
        const ofPair = { pem, key: exportPrivateKey(pair.key), path: named };
        await assertTrust({ ...ofPair, host, trusted: true });
      });
    }
  });
}
