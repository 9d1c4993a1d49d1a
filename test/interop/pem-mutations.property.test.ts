import assert from 'node:assert/strict';
import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { CertError } from '../../src/core/cert-error.ts';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import type { InstalledCertificate } from '../../src/manager/installed-certificate.ts';
import { formatPem, parsePem } from '../../src/x509/pem.ts';
import { makeWorld } from '../fakes/manager-world.ts';
import { type Issued, keyKinds, opensslAuthority } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';
import { mutated } from './pem-mutations.ts';

const runs = 300;

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa({ subject: '/CN=Root CA' });
const middle = tools.issueCa({ subject: '/CN=Middle CA', issuer: root });
const kinds: readonly (readonly [string, Issued])[] = [
  ['P-256', tools.issue({ issuer: middle, subject: '/CN=leaf' })],
  ['RSA', tools.issue({ issuer: middle, subject: '/CN=leaf', key: keyKinds.rsa(2048) })],
];

interface Outcome {
  readonly installed: InstalledCertificate;
  /** The blocks of the file that a service would read. */
  readonly key: string;
  readonly certificates: readonly string[];
}

/** Installs a file at a new client endpoint. @returns `undefined` when it is refused */
async function install(text: string): Promise<Outcome | undefined> {
  const world = makeWorld();
  try {
    const path = join(world.directory, 'client', 'cert.pem');
    const definition = { type: 'client', name: 'ldap', path, reload: [] } as const;
    const endpoint = new CredentialEndpoint(definition, world.dependencies);
    await endpoint.start();
    const installed = await endpoint.install(text).catch((error: unknown) => {
      assert.ok(error instanceof CertError, `not a CertError: ${String(error)}`);
      assert.deepEqual(endpoint.list(), []);
      assert.ok(!existsSync(path));
      return undefined;
    });
    if (!installed) return undefined;
    const [key, ...certificates] = parsePem(readFileSync(path, 'utf8')).map((block) => block.text);
    const fresh = new CredentialEndpoint(definition, world.dependencies);
    await fresh.start();
    assert.equal(fresh.list()[0]?.certificate.pem, installed.certificate.pem);
    return { installed, key: key ?? '', certificates };
  } finally {
    world.remove();
  }
}

/** What a TLS handshake proves: a signature with the key is one of the certificate. */
function assertPair({ key, certificates }: Outcome): void {
  const privateKey = createPrivateKey(key);
  const leaf = new X509Certificate(certificates[0] ?? '');
  assert.ok(leaf.checkPrivateKey(privateKey), 'the public halves differ');
  const data = Buffer.from('a handshake');
  const signature = sign('sha256', data, privateKey);
  assert.ok(verify('sha256', data, leaf.publicKey, signature), 'the key does not sign');
}

/**
 * A certificate that is not one of the originals may only have come in where nothing in the file could
 * contradict it: its issuer, by the name it gives, is not there.
 */
function assertSound({ certificates }: Outcome, originals: readonly string[]): void {
  const all = certificates.map((pem) => new X509Certificate(pem));
  for (const [n, certificate] of all.entries()) {
    if (originals.includes(certificates[n] ?? '')) continue;
    const issuers = all.filter(({ subject }) => subject === certificate.issuer);
    const isSigned = issuers.some((issuer) => certificate.verify(issuer.publicKey));
    assert.ok(issuers.length === 0 || isSigned, `a forged certificate: ${certificate.subject}`);
  }
  assert.equal(new Set(certificates).size, certificates.length, 'a certificate is served twice');
}

for (const [what, leaf] of kinds) {
  const original = leaf.key + leaf.pem + middle.pem + root.pem;
  const originals = [leaf, middle, root].map(({ certificate }) => certificate.pem);

  describe(`a file with a key of ${what}, its certificate and the chain`, () => {
    it('is installed as it is', async () => {
      const outcome = await install(original);
      assert.ok(outcome);
      assertPair(outcome);
      assert.deepEqual(outcome.certificates, originals);
    });

    it('is refused, or means the same, whatever happens to it on its way', async () => {
      await fc.assert(
        fc.asyncProperty(mutated(original), async ({ text }) => {
          const outcome = await install(text);
          if (!outcome) return;
          assert.equal(outcome.installed.certificate.pem, outcome.certificates[0]);
          assertPair(outcome);
          assertSound(outcome, originals);
        }),
        { numRuns: runs / kinds.length },
      );
    });
  });
}

describe('a private key whose secret half is damaged', () => {
  const [, leaf] = kinds[0] ?? assert.fail();
  /** The scalar of a P-256 key in PKCS #8 stands from byte 36 on, the public key after byte 67. */
  for (const at of [36, 51, 67]) {
    it(`is refused though its public half fits: byte ${at}`, async () => {
      const der = Buffer.from(parsePem(leaf.key)[0]?.der ?? '');
      der.writeUInt8(der.readUInt8(at) ^ 1, at);
      const text = formatPem('PRIVATE KEY', der) + leaf.pem;
      const world = makeWorld();
      try {
        const path = join(world.directory, 'client', 'cert.pem');
        const definition = { type: 'client', name: 'ldap', path, reload: [] } as const;
        const endpoint = new CredentialEndpoint(definition, world.dependencies);
        await endpoint.start();
        await assert.rejects(endpoint.install(text), refusal('key-malformed'));
      } finally {
        world.remove();
      }
    });
  }
});
