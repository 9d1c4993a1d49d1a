import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { servingProfile, usualServingProfile } from '../../../src/tls/profile.ts';
import { makeWorld, type World } from '../../fakes/manager-world.ts';
import { keyKinds, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const authority = opensslAuthority();
after(() => authority.remove());

const small = authority.issueCa({ key: keyKinds.rsa(1024), subject: '/CN=Ancient Root 1024' });
const root = authority.issueCa();
const leaf = authority.issue({ issuer: root });
const under = authority.issue({ issuer: small, subject: '/CN=under' });

/** One file at two ends: of the manager that starts now, and of what was there before. */
describe('a server endpoint of our own service', () => {
  let world: World | undefined;
  let endpoint: CredentialEndpoint | undefined;
  afterEach(() => {
    endpoint?.stop();
    world?.remove();
  });

  const start = async (before: string | undefined, serving = servingProfile('intermediate')) => {
    world = makeWorld({ serving });
    const path = join(world.directory, 'https', 'server.pem');
    mkdirSync(dirname(path));
    if (before !== undefined) writeFileSync(path, before);
    const definition = { type: 'server', name: 'https', path, reload: [] } as const;
    endpoint = new CredentialEndpoint(definition, world.dependencies);
    await endpoint.start();
    const { logged } = world;
    const warned = () =>
      logged.filter(({ level: one }) => one === 'warn').map(({ fields }) => fields);
    return { endpoint, file: () => readFileSync(path, 'utf8'), warned };
  };

  it('puts a file in order that has a stranger which no service could show', async () => {
    const {
      endpoint: server,
      file,
      warned,
    } = await start(leaf.key + leaf.pem + small.pem + root.pem);
    assert.equal(server.list()[0]?.certificate.pem, leaf.pem);
    assert.ok(file().endsWith(leaf.pem + root.pem));
    assert.equal(warned()[0]?.subject, 'CN=Ancient Root 1024');
  });

  it('keeps what is in service and says why it would be refused now', async () => {
    const { endpoint: server, file, warned } = await start(under.key + under.pem + small.pem);
    assert.equal(server.list()[0]?.certificate.pem, under.pem);
    assert.ok(file().endsWith(under.pem + small.pem));
    assert.equal(warned()[0]?.code, 'key-strength');
    assert.match(String(warned()[0]?.reason), /2 of 2 \(CN=Ancient Root 1024\).*ca key too small/);
  });

  for (const [what, change] of [
    ['Replace', (server: CredentialEndpoint, text: string) => server.replace('1', text)],
    [
      'the first phase of a change in two',
      (server: CredentialEndpoint, text: string) => server.stage(text),
    ],
  ] as const) {
    it(`refuses by ${what} what its service could not show`, async () => {
      const { endpoint: server, file } = await start(leaf.key + leaf.pem + root.pem);
      const before = file();
      const weak = under.key + under.pem + small.pem;
      await assert.rejects(change(server, weak), refusal('key-strength'));
      assert.equal(file(), before);
    });
  }

  it('keeps a file whose issuers did not sign, and says so', async () => {
    // Without key identifiers nothing but the signature tells two intermediates of one name apart
    const extensions = ['basicConstraints=critical,CA:TRUE', 'subjectKeyIdentifier=none'];
    const [signer, other] = [0, 1].map(() =>
      authority.issue({ issuer: root, subject: '/CN=Issuing', extensions }),
    );
    assert.ok(signer && other);
    const orphan = authority.issue({ issuer: signer, extensions: ['basicConstraints=CA:FALSE'] });
    const before = orphan.key + orphan.pem + other.pem + root.pem;
    const { endpoint: server, file, warned } = await start(before);
    assert.equal(server.list()[0]?.certificate.pem, orphan.pem);
    assert.equal(file(), before);
    assert.equal(warned()[0]?.code, 'chain-signature');
    await assert.rejects(server.replace('1', before), refusal('chain-signature'));
  });

  const cases = (['usual', 'modern', 'intermediate'] as const).flatMap((name) =>
    ([2, 4, 5] as const).map((level) => ({ name, level })),
  );
  const curves = { 2: 'prime256v1', 4: 'secp384r1', 5: 'secp521r1' };
  for (const { name, level } of cases) {
    const curve = curves[level];
    it(`generates a certificate on ${curve} for a ${name} service of level ${level}`, async () => {
      const { endpoint: server } = await start(
        undefined,
        name === 'usual' ? usualServingProfile(level) : servingProfile(name, level),
      );
      const { publicKey } = server.list()[0]?.certificate ?? {};
      assert.equal(publicKey?.asymmetricKeyDetails?.namedCurve, curve);
      const warnings = server.list()[0]?.findings?.warnings.map(({ code }) => code);
      assert.deepEqual(warnings, curve === 'secp521r1' ? ['key-type'] : undefined);
    });
  }
});
