import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { Agent } from 'node:https';
import { after, afterEach, before, describe, it } from 'node:test';
import { childrenOf, decode, encode, oid, sequence } from '../../../src/x509/der.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import {
  type CertificateShape,
  caExtensions,
  type Issued,
  keyKinds,
  type OpensslAuthority,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { eventually } from '../events/manual-clock.ts';
import {
  type Answer,
  openStream,
  revoked,
  startTlsService,
  type TlsService,
  truststore,
} from './tls-service.ts';

const sessions = '/redfish/v1/SessionService/Sessions';
const always = { from: '20200101000000Z', until: '20990101000000Z' };
const notACa = ['basicConstraints=CA:FALSE', 'subjectKeyIdentifier=hash'];

describe('the path of a client certificate', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let other: Issued;
  let middle: Issued;
  let leaf: Issued;

  const ca = (shape: CertificateShape) => authority.issueCa({ ...always, ...shape });

  before(async () => {
    authority = opensslAuthority();
    root = ca({ subject: '/CN=Root' });
    other = ca({ subject: '/CN=Other' });
    middle = ca({ subject: '/CN=Middle', issuer: root });
    leaf = authority.issue({ ...always, subject: '/CN=admin', issuer: middle });
    service = await startTlsService(authority);
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  afterEach(async () => {
    await eventually('no stream', () => service.events.streams.list().length === 0);
    for (const endpoint of [truststore, revoked]) {
      for (const { id } of service.client.list(endpoint)) await service.client.delete(endpoint, id);
    }
  });

  const compressed = () => {
    const keyPath = authority.write('compressed.pem', '');
    openssl(['ec', '-in', middle.keyPath, '-out', keyPath, '-conv_form', 'compressed']);
    return { ...middle, keyPath };
  };
  const trust = (...certificates: readonly Issued[]) => {
    for (const [at, { pem }] of certificates.entries())
      service.client.put(truststore, String(at + 1), pem);
  };
  const statusOf = async (show: Issued, ...chain: readonly Issued[]) =>
    (await service.ask(sessions, { show, chain })).status;

  /** Certificates with the name and the key of the intermediate CA. */
  const lookAlikes: Record<string, () => Issued> = {
    'that is no CA': () => twin({ issuer: root, extensions: notACa }),
    'that may not sign certificates': () =>
      twin({ issuer: root, extensions: ['basicConstraints=CA:TRUE', 'keyUsage=digitalSignature'] }),
    'for servers only': () =>
      twin({ issuer: root, extensions: [...caExtensions, 'extendedKeyUsage=serverAuth'] }),
    'that is a CA': () => twin({ issuer: root }),
    'that another root issued': () => twin({ issuer: other }),
    'that the CA issued to itself': () => twin({}),
    'with its key in the compressed form': () =>
      twin({
        issuer: root,
        keyOf: compressed(),
        extensions: [
          ...caExtensions.slice(0, 2),
          `subjectKeyIdentifier=${middle.certificate.keyIdentifier}`,
        ],
      }),
    'whose name has other capitals': () => twin({ issuer: root, subject: '/CN=MIDDLE' }),
  };
  for (const [what, make] of Object.entries(lookAlikes)) {
    it(`is as revoked as its CA behind a look-alike ${what}`, async () => {
      trust(root, other, middle);
      service.client.put(revoked, '1', middle.pem);
      const alike = make();
      assert.equal(await statusOf(leaf, alike), 401);
      assert.equal(await statusOf(leaf, alike, middle), 401);
      assert.equal(await statusOf(leaf), 401);
      await service.client.delete(truststore, '3');
      assert.equal(await statusOf(leaf, alike), 401);
    });
  }

  it('is as revoked as its CA behind a look-alike whose RSA key is one for PSS', async () => {
    const rsa = ca({ subject: '/CN=RSA', issuer: root, key: keyKinds.rsa(2048) });
    const keyPath = authority.write('for-pss.pem', keyForPss(rsa.key));
    const alike = ca({ subject: '/CN=RSA', issuer: root, keyOf: { ...rsa, keyPath } });
    const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32'];
    const show = authority.issue({ ...always, subject: '/CN=admin', issuer: rsa, more: pss });
    trust(root);
    assert.equal(await statusOf(show, alike), 200);
    service.client.put(revoked, '1', rsa.pem);
    assert.equal(await statusOf(show, alike), 401);
    assert.equal(await statusOf(show, alike, rsa), 401);
  });

  it('is as revoked as its CA whose own certificate has no basicConstraints', async () => {
    const plain = twin({ issuer: root, extensions: ['keyUsage=keyCertSign'] });
    trust(root);
    service.client.put(revoked, '1', plain.pem);
    assert.equal(await statusOf(leaf, middle), 401);
  });

  it('is free of a revoked CA that issued no certificate of it', async () => {
    trust(root, other);
    const sibling = ca({ subject: '/CN=Middle', issuer: root });
    service.client.put(revoked, '1', sibling.pem);
    assert.equal(await statusOf(leaf, middle), 200);
  });

  it('goes over the root that was renewed with the same key, when the old root is deleted', async () => {
    const renewed = ca({ subject: '/CN=Root', keyOf: root, until: '20980101000000Z' });
    trust(root);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () => service.ask(sessions, { show: leaf, chain: [middle], agent });
    const stream = await openStream(service, leaf, middle);
    try {
      assert.equal((await ask()).status, 200);
      service.client.put(truststore, 'renewed', renewed.pem);
      await service.client.delete(truststore, '1');
      assert.deepEqual(pick(await ask()), { status: 200, reused: true });
      assert.equal(await statusOf(leaf, middle), 200);
      await service.afterCut();
      assert.equal(stream.destroyed, false);
    } finally {
      agent.destroy();
      stream.destroy();
    }
  });

  /** What is left after a removal would not admit a new connection, so the open ones end. */
  const remains: Record<string, () => Issued> = {
    'is no CA': () => renewed({ extensions: notACa }),
    'may not sign certificates': () =>
      renewed({ extensions: ['basicConstraints=CA:TRUE', 'keyUsage=digitalSignature'] }),
    'is for servers only': () =>
      renewed({ extensions: [...caExtensions, 'extendedKeyUsage=serverAuth'] }),
    'admits no intermediate CA': () =>
      renewed({ extensions: ['basicConstraints=CA:TRUE,pathlen:0'] }),
    'has expired': () => renewed({ until: '20210101000000Z' }),
    'is not valid yet': () => renewed({ from: '20980101000000Z' }),
    'excludes the name of the client': () =>
      renewed({
        extensions: [
          ...caExtensions,
          'nameConstraints=critical,excluded;dirName:excluded',
          '[excluded]',
          'CN=admin',
        ],
      }),
    'has the name alone': () => ca({ subject: '/CN=Root' }),
  };
  for (const [what, make] of Object.entries(remains)) {
    it(`ends with its root when the root that is left ${what}, as a new connection is refused`, async () => {
      const left = make();
      trust(root);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = () => service.ask(sessions, { show: leaf, chain: [middle], agent });
      const stream = await openStream(service, leaf, middle);
      try {
        assert.equal((await ask()).status, 200);
        service.cutMilliseconds = 600_000;
        service.client.put(truststore, 'left', left.pem);
        await service.client.delete(truststore, '1');
        assert.deepEqual(pick(await ask()), { status: 401, reused: true });
        assert.equal(await statusOf(leaf, middle), 401);
        service.cutMilliseconds = 50;
        service.client.put(truststore, 'left', left.pem);
        await new Promise((resolve) => stream.once('close', resolve));
      } finally {
        agent.destroy();
        stream.destroy();
      }
    });
  }

  function twin(shape: CertificateShape): Issued {
    return ca({ subject: '/CN=Middle', keyOf: middle, ...shape });
  }

  function renewed(shape: CertificateShape): Issued {
    return ca({ subject: '/CN=Root', keyOf: root, ...shape });
  }
});

/** The same key, for RSASSA-PSS alone (RFC 4055 §1.2). */
function keyForPss(pem: string): string {
  const [version, , key] = childrenOf(
    decode(createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })),
  );
  if (!version || !key) throw new Error('no PKCS #8');
  return formatPem(
    'PRIVATE KEY',
    encode(sequence(version, sequence(oid('1.2.840.113549.1.1.10')), key)),
  );
}

function pick({ status, reused }: Answer) {
  return { status, reused };
}
