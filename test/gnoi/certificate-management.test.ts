import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CertError } from '../../src/core/cert-error.ts';
import { bundleName } from '../../src/gnoi/certificate-store.ts';
import { until } from '../e2e/commands.ts';
import { certificateOf, type Issued, openssl } from '../fakes/openssl-authority.ts';
import { breakableWay } from './breakable.ts';
import type { GnoiClient } from './client.ts';
import {
  certificates,
  csrParams,
  sent,
  serverExtensions,
  startWorld,
  type World,
  workSettings,
} from './world.ts';

const id = 'gnoi-server1';
const bundle = { type: 'authority', name: bundleName } as const;

let world: World;
let ca: Issued;
let client: GnoiClient;

beforeEach(async () => {
  world = await startWorld();
  ca = world.tools.issueCa();
  client = world.client();
});
afterEach(() => world.close());

/** A certificate for a CSR that came over a stream. */
function signed(csr: Uint8Array | undefined, issuer = ca): string {
  return world.tools.sign(Buffer.from(csr ?? []).toString(), issuer, serverExtensions);
}

function leaf(subject = '/CN=localhost'): Issued {
  return world.tools.issue({ issuer: ca, subject, extensions: serverExtensions });
}

function keyPairOf({ key }: Issued) {
  return { privateKey: Buffer.from(key), publicKey: Buffer.alloc(0) };
}

/** Installs a certificate with the CSR of the device, and the bundle that verifies it. @returns its PEM */
async function install(withBundle = true, over = client): Promise<string> {
  const stream = over.open(certificates.install);
  const { installResponse } = await stream.ask({
    installRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
  });
  assert.equal(installResponse.case, 'generatedCsr');
  const pem = signed(installResponse.value.csr?.csr);
  await stream.ask({
    installRequest: {
      case: 'loadCertificate',
      value: { certificate: sent(pem), caCertificates: withBundle ? [sent(ca.pem)] : [] },
    },
  });
  assert.equal((await stream.status).code, status.OK);
  return pem;
}

/** A client with a certificate of the CA, which also trusts it. */
function mutualClient(trusts = ca.pem, port = world.service.port): GnoiClient {
  return world.client({ trusts, shows: leaf('/CN=client'), port });
}

const held = () => world.endpoints.list().map(({ type, name }) => `${type}/${name}`);
const fingerprints = () =>
  world.endpoints
    .list()
    .flatMap((one) => one.certificates.map(({ certificate }) => certificate.fingerprint));

describe('an installation', () => {
  it('puts a certificate for a key of the device under its id, and brings mutual TLS with its bundle', async () => {
    assert.deepEqual(world.service.authentication(), { mode: 'none', cause: 'no bundle' });
    const pem = await install();
    assert.deepEqual(held(), [`authority/${bundleName}`, `server/${id}`]);
    assert.deepEqual(world.service.authentication(), {
      ...{ mode: 'require-and-verify', cause: 'bundle' },
    });
    await world.endpoints.bind('gnoi', { type: 'server', name: id });
    const { certificateInfo } = await mutualClient().call(certificates.getCertificates, {});
    const [info, ...others] = certificateInfo;
    assert.equal(others.length, 0);
    assert.equal(info?.certificateId, id);
    assert.equal(
      Buffer.from(info.certificate?.certificate ?? []).toString(),
      certificateOf(pem).pem,
    );
    assert.deepEqual(
      info.endpoints.map(({ type, endpoint }) => [type, endpoint]),
      [[2, 'gnoi']],
    );
    assert.ok(info.modificationTime > 1_700_000_000_000_000_001n);
    await assert.rejects(world.client({ trusts: ca.pem }).call(certificates.getCertificates, {}), {
      code: status.UNAVAILABLE,
    });
  });

  it('does not change what the service shows before the service is bound to it', async () => {
    await install();
    await mutualClient(world.ownCertificate).call(certificates.getCertificates, {});
    assert.equal(world.identity.credential.certificate.pem, world.ownCertificate);
  });

  it('is verified by a CA that came before, or that the device trusts otherwise', async () => {
    const load = (name: string) => {
      const own = leaf();
      const value = { certificateId: name, certificate: sent(own.pem), keyPair: keyPairOf(own) };
      return { installRequest: { case: 'loadCertificate' as const, value } };
    };
    world.anchors.push(ca.certificate);
    await client.open(certificates.install).ask(load('by-anchor'));
    world.anchors.pop();
    await client.call(certificates.loadCertificateAuthorityBundle, {
      caCertificates: [sent(ca.pem)],
    });
    const mutual = mutualClient(world.ownCertificate);
    await mutual.open(certificates.install).ask(load('by-bundle'));
    assert.deepEqual(held().slice(1), ['server/by-anchor', 'server/by-bundle']);
  });

  it('asks with all parameters of a client, and with alternative names', async () => {
    const { csr } = await client.call(certificates.generateCSR, { certificateId: id, csrParams });
    const pem = Buffer.from(csr?.csr ?? []).toString();
    assert.match(
      pem,
      /^-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----\n$/,
    );
    const text = openssl(['req', '-noout', '-text', '-verify'], pem);
    for (const part of ['C = US', 'ST = CA', 'L = Sunnyvale', 'O = Acme', 'OU = Testing'])
      assert.ok(text.includes(part), part);
    assert.match(text, /CN = localhost/);
    assert.match(text, /emailAddress = test@example\.com/);
    assert.match(text, /DNS:localhost, IP Address:127\.0\.0\.1, email:test@example\.com/);
    assert.match(text, /Public-Key: \(2048 bit\)/);
  });

  it('with the key of the client takes one step', async () => {
    const own = leaf();
    const stream = client.open(certificates.install);
    const value = {
      ...{ certificateId: id, certificate: sent(own.pem), keyPair: keyPairOf(own) },
      caCertificates: [sent(ca.pem)],
    };
    await stream.ask({ installRequest: { case: 'loadCertificate', value } });
    assert.equal((await stream.status).code, status.OK);
    assert.deepEqual(held(), [`authority/${bundleName}`, `server/${id}`]);
  });

  it('stays, although the client breaks off right after the answer', async () => {
    const own = leaf();
    const stream = client.open(certificates.install);
    const value = {
      ...{ certificateId: id, certificate: sent(own.pem), keyPair: keyPairOf(own) },
      caCertificates: [sent(ca.pem)],
    };
    await stream.ask({ installRequest: { case: 'loadCertificate', value } });
    stream.cancel();
    await stream.status;
    await mutualClient(world.ownCertificate).call(certificates.getCertificates, {});
    assert.deepEqual(held(), [`authority/${bundleName}`, `server/${id}`]);
  });

  it('leaves no key behind where the client cancels it, and the id free', async () => {
    const stream = client.open(certificates.install);
    await stream.ask({
      installRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
    });
    assert.equal(world.endpoints.waiting, 1);
    stream.cancel();
    await until('the key is given up', () => world.endpoints.waiting === 0);
    await install();
  });

  it('of an id that is there fails at the CSR', async () => {
    await install();
    const mutual = mutualClient(world.ownCertificate);
    const stream = mutual.open(certificates.install);
    await assert.rejects(
      stream.ask({
        installRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
      }),
      { code: status.ALREADY_EXISTS },
    );
  });

  const own = () => leaf();
  const refused: [string, () => Promise<object> | object, number][] = [
    ['without a CA that verifies it', () => loadOf(own()), status.FAILED_PRECONDITION],
    [
      'of another type',
      () => ({ ...loadOf(own()), certificate: { type: 0 } }),
      status.INVALID_ARGUMENT,
    ],
    [
      'that is no PEM',
      () => ({ ...loadOf(own()), certificate: sent('none') }),
      status.INVALID_ARGUMENT,
    ],
    [
      'with the key of another',
      () => ({ ...loadOf(own()), keyPair: keyPairOf(own()), caCertificates: [sent(ca.pem)] }),
      status.INVALID_ARGUMENT,
    ],
    [
      'that has expired',
      () => ({
        ...loadOf(
          world.tools.issue({ issuer: ca, from: '20200101000000Z', until: '20210101000000Z' }),
        ),
        caCertificates: [sent(ca.pem)],
      }),
      status.INVALID_ARGUMENT,
    ],
    [
      'with a bundle that has no CA',
      () => ({ ...loadOf(own()), caCertificates: [sent(leaf().pem)] }),
      status.INVALID_ARGUMENT,
    ],
    [
      'with a CA twice',
      () => ({ ...loadOf(own()), caCertificates: [sent(ca.pem + ca.pem)] }),
      status.INVALID_ARGUMENT,
    ],
    [
      'under an id that is no name of a file',
      () => ({ ...loadOf(own()), certificateId: '../x', caCertificates: [sent(ca.pem)] }),
      status.INVALID_ARGUMENT,
    ],
  ];
  for (const [name, load, code] of refused) {
    it(`of a certificate ${name} changes nothing`, async () => {
      const stream = client.open(certificates.install);
      const value = await load();
      await assert.rejects(stream.ask({ installRequest: { case: 'loadCertificate', value } }), {
        code,
      });
      assert.deepEqual(held(), []);
      assert.deepEqual(world.endpoints.open, []);
    });
  }

  it('with a chain needs the root of the chain in the bundle', async () => {
    const intermediate = world.tools.issueCa({ issuer: ca, subject: '/CN=Intermediate' });
    const own = world.tools.issue({ issuer: intermediate, extensions: serverExtensions });
    const load = (caCertificates: string) => ({
      ...loadOf({ ...own, pem: own.pem + intermediate.pem }),
      caCertificates: [sent(caCertificates)],
    });
    const first = client.open(certificates.install);
    const alone = { case: 'loadCertificate' as const, value: load(intermediate.pem) };
    await assert.rejects(first.ask({ installRequest: alone }), {
      code: status.FAILED_PRECONDITION,
    });
    const second = client.open(certificates.install);
    const whole = { case: 'loadCertificate' as const, value: load(intermediate.pem + ca.pem) };
    await second.ask({ installRequest: whole });
  });

  function loadOf(one: Issued) {
    return { certificateId: id, certificate: sent(one.pem), keyPair: keyPairOf(one) };
  }
});

describe('a rotation', () => {
  beforeEach(async () => {
    await install();
    await world.endpoints.bind('gnoi', { type: 'server', name: id });
    client = mutualClient();
  });

  /** Rotates up to the point where the new certificate is on trial. */
  async function rotate(caCertificates: readonly string[] = [], issuer = ca) {
    const stream = client.open(certificates.rotate);
    const { rotateResponse } = await stream.ask({
      rotateRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
    });
    assert.equal(rotateResponse.case, 'generatedCsr');
    const pem = signed(rotateResponse.value.csr?.csr, issuer);
    const value = { certificate: sent(pem), caCertificates: caCertificates.map(sent) };
    await stream.ask({ rotateRequest: { case: 'loadCertificate', value } });
    return { stream, fingerprint: certificateOf(pem).fingerprint };
  }

  const finalize = { rotateRequest: { case: 'finalizeRotation' as const, value: {} } };

  it('shows new connections the certificate at once, and keeps it once it is finalized', async () => {
    const { stream, fingerprint } = await rotate();
    assert.equal(world.identity.credential.certificate.fingerprint, fingerprint);
    await mutualClient().call(certificates.getCertificates, {});
    stream.send(finalize);
    assert.equal((await stream.status).code, status.OK);
    assert.ok(fingerprints().includes(fingerprint));
    assert.deepEqual(world.endpoints.open, []);
    await client.call(certificates.getCertificates, {});
  });

  it('keeps what is finalized by a client that breaks off at once', async () => {
    const { stream, fingerprint } = await rotate();
    stream.send(finalize);
    await new Promise((resolve) => setImmediate(resolve));
    stream.cancel();
    await until('nothing is on trial', () => world.endpoints.open.length === 0);
    const kept = fingerprints().includes(fingerprint);
    // The message may be lost on its way: then it never was finalized
    const line = world.audit.findLast((one) => one.includes('"request":"Rotate"')) ?? '';
    assert.equal(kept, line.includes('finalize_rotation'), line);
  });

  const breaks: [string, (end: { cut(): void; cancel(): void; halfClose(): void }) => void][] = [
    ['cancels', ({ cancel }) => cancel()],
    ['sends no more', ({ halfClose }) => halfClose()],
    ['loses its connection', ({ cut }) => cut()],
  ];
  for (const [name, end] of breaks) {
    it(`is undone, with its bundle, when the client ${name}`, async () => {
      const way = await breakableWay(world.service.port);
      client = mutualClient(ca.pem, way.port);
      const before = fingerprints();
      const other = world.tools.issueCa({ subject: '/CN=Other CA' });
      const { stream, fingerprint } = await rotate([ca.pem, other.pem]);
      assert.ok(fingerprints().includes(fingerprint));
      end({ ...stream, cut: way.cut });
      await until('nothing is on trial', () => world.endpoints.open.length === 0);
      await until('all is as before', () => fingerprints().join() === before.join());
      await mutualClient().call(certificates.getCertificates, {});
      assert.notEqual(world.identity.credential.certificate.fingerprint, fingerprint);
      way.close();
    });
  }

  it('takes a certificate that is signed with SHA-384, and warns that it has other names than its CSR', async () => {
    const stream = client.open(certificates.rotate);
    const { rotateResponse } = await stream.ask({
      rotateRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
    });
    assert.equal(rotateResponse.case, 'generatedCsr');
    const csr = Buffer.from(rotateResponse.value.csr?.csr ?? []).toString();
    const names = ['basicConstraints=CA:FALSE', 'subjectAltName=DNS:localhost'];
    const pem = world.tools.sign(csr, ca, names, 'sha384');
    assert.match(openssl(['x509', '-noout', '-text'], pem), /ecdsa-with-SHA384/);
    const value = { certificate: sent(pem) };
    await stream.ask({ rotateRequest: { case: 'loadCertificate', value } });
    stream.send(finalize);
    assert.equal((await stream.status).code, status.OK);
    const warning = world.log.findLast((line) => line.includes('without names of its CSR'));
    assert.match(warning ?? '', /"missing":"IP:127\.0\.0\.1 email:test@example\.com"/);
  });

  it('may bring a certificate of another root, with that root', async () => {
    const other = world.tools.issueCa({ subject: '/CN=Other CA' });
    const { stream, fingerprint } = await rotate([ca.pem, other.pem], other);
    await mutualClient(other.pem).call(certificates.getCertificates, {});
    stream.send(finalize);
    assert.equal((await stream.status).code, status.OK);
    assert.ok(fingerprints().includes(fingerprint));
  });

  it('with the key of the client is tried and kept, too', async () => {
    const own = leaf('/CN=localhost');
    const stream = client.open(certificates.rotate);
    const value = { certificateId: id, certificate: sent(own.pem), keyPair: keyPairOf(own) };
    await stream.ask({ rotateRequest: { case: 'loadCertificate', value } });
    stream.send(finalize);
    assert.equal((await stream.status).code, status.OK);
    assert.ok(fingerprints().includes(own.certificate.fingerprint));
  });

  it('is undone when the store cannot keep it', async () => {
    const before = fingerprints();
    const { stream } = await rotate();
    world.endpoints.commitRefusal = new CertError('storage', 'the disk is full');
    stream.send(finalize);
    assert.equal((await stream.status).code, status.INTERNAL);
    assert.deepEqual(fingerprints(), before);
  });

  it('ends with the manager, which undoes it', async () => {
    const before = fingerprints();
    const { stream } = await rotate();
    world.endpoints.leave();
    assert.equal((await stream.status).code, status.DEADLINE_EXCEEDED);
    world.endpoints.comeBack();
    assert.deepEqual(fingerprints(), before);
  });

  it('keeps others from the id, and from the bundle', async () => {
    await rotate([ca.pem]);
    const second = client.open(certificates.rotate);
    const request = { certificateId: id, csrParams };
    await assert.rejects(second.ask({ rotateRequest: { case: 'generateCsr', value: request } }), {
      code: status.ABORTED,
    });
    await assert.rejects(client.call(certificates.generateCSR, request), { code: status.ABORTED });
    const load = { caCertificates: [sent(ca.pem)] };
    await assert.rejects(client.call(certificates.loadCertificateAuthorityBundle, load), {
      code: status.ABORTED,
    });
    const { certificateRevocationError } = await client.call(certificates.revokeCertificates, {
      certificateId: [id],
    });
    assert.deepEqual(
      certificateRevocationError.map(({ certificateId }) => certificateId),
      [id],
    );
  });

  it('of an id that is not there fails', async () => {
    const stream = client.open(certificates.rotate);
    const value = { certificateId: 'unknown', csrParams };
    await assert.rejects(stream.ask({ rotateRequest: { case: 'generateCsr', value } }), {
      code: status.NOT_FOUND,
    });
  });
});

describe('a rotation where there is no bundle', () => {
  it('cannot bring the first bundle', async () => {
    const own = leaf();
    const value = { certificateId: id, certificate: sent(own.pem), keyPair: keyPairOf(own) };
    await world.close();
    world = await startWorld({
      work: { ...workSettings, verify: false },
    });
    client = world.client();
    await client.call(certificates.loadCertificate, value);
    const stream = client.open(certificates.rotate);
    const next = { ...value, caCertificates: [sent(ca.pem)] };
    await assert.rejects(stream.ask({ rotateRequest: { case: 'loadCertificate', value: next } }), {
      code: status.FAILED_PRECONDITION,
    });
    assert.deepEqual(held(), [`server/${id}`]);
  });
});

describe('the calls of one message', () => {
  it('load a certificate for the key of a CSR that came before', async () => {
    const { csr } = await client.call(certificates.generateCSR, { certificateId: id, csrParams });
    const load = {
      ...{ certificateId: id, certificate: sent(signed(csr?.csr)) },
      caCertificates: [sent(ca.pem)],
    };
    await client.call(certificates.loadCertificate, load);
    assert.deepEqual(held(), [`authority/${bundleName}`, `server/${id}`]);
    await assert.rejects(
      mutualClient(world.ownCertificate).call(certificates.loadCertificate, load),
      { code: status.FAILED_PRECONDITION },
    );
  });

  it('replace the bundle as a whole, and answer before the connection ends', async () => {
    const load = (...pems: string[]) => ({ caCertificates: pems.map(sent) });
    await client.call(certificates.loadCertificateAuthorityBundle, load(ca.pem));
    const other = world.tools.issueCa({ subject: '/CN=Other CA' });
    const mutual = mutualClient(world.ownCertificate);
    await mutual.call(certificates.loadCertificateAuthorityBundle, load(other.pem));
    // The session of the CA that went goes on
    await mutual.call(certificates.getCertificates, {});
    const names = world.endpoints
      .find(bundle)
      ?.certificates.map(({ certificate }) => certificate.pem);
    assert.deepEqual(names, [other.pem]);
    await assert.rejects(
      mutualClient(world.ownCertificate).call(certificates.getCertificates, {}),
      { code: status.UNAVAILABLE },
    );
    await assert.rejects(mutual.call(certificates.loadCertificateAuthorityBundle, load()), {
      code: status.INVALID_ARGUMENT,
    });
  });

  it('revoke what is there and what is not, in their order', async () => {
    await install();
    await world.endpoints.bind('gnoi', { type: 'server', name: id });
    const mutual = mutualClient();
    const answer = await mutual.call(certificates.revokeCertificates, {
      certificateId: ['absent', id, id, '../x'],
    });
    assert.deepEqual(answer.revokedCertificateId, ['absent', id, '../x']);
    assert.deepEqual(answer.certificateRevocationError, []);
    // The session goes on, and new ones meet the certificate of the service itself, in mutual mode
    assert.deepEqual((await mutual.call(certificates.getCertificates, {})).certificateInfo, []);
    await mutualClient(world.ownCertificate).call(certificates.getCertificates, {});
    assert.equal(world.service.authentication().mode, 'require-and-verify');
  });

  const questions: [object, boolean][] = [
    [{ keyType: 1, certificateType: 1, keySize: 1024 }, true],
    [{ keyType: 1, certificateType: 1, keySize: 2048 }, true],
    [{ keyType: 1, certificateType: 1, keySize: 4096 }, true],
    [{ keyType: 0, certificateType: 1, keySize: 0 }, true],
    [{ keyType: 1, certificateType: 1, keySize: 4097 }, false],
    [{ keyType: 2, certificateType: 1, keySize: 2048 }, false],
    [{ keyType: 1, certificateType: 0, keySize: 2048 }, false],
  ];
  for (const [question, expected] of questions) {
    it(`say whether a CSR can be made: ${JSON.stringify(question)} ${expected}`, async () => {
      const { canGenerate } = await client.call(certificates.canGenerateCSR, question);
      assert.equal(canGenerate, expected);
    });
  }

  const impossible: [object, number][] = [
    [{ keyType: 2 }, status.UNIMPLEMENTED],
    [{ minKeySize: 8192 }, status.UNIMPLEMENTED],
    [{ type: 0 }, status.INVALID_ARGUMENT],
    [{ ipAddress: 'none' }, status.INVALID_ARGUMENT],
    [{ country: 'USA' }, status.INVALID_ARGUMENT],
  ];
  for (const [change, code] of impossible) {
    it(`refuse a CSR with ${JSON.stringify(change)}`, async () => {
      const request = { certificateId: id, csrParams: { ...csrParams, ...change } };
      await assert.rejects(client.call(certificates.generateCSR, request), { code });
    });
  }

  it('are UNAVAILABLE while the manager is away, and go on afterwards', async () => {
    world.endpoints.leave();
    await assert.rejects(client.call(certificates.getCertificates, {}), {
      code: status.UNAVAILABLE,
    });
    world.endpoints.comeBack();
    await client.call(certificates.getCertificates, {});
  });
});

describe('a service that starts again', () => {
  it('wants certificates of clients as before, also while the manager is away', async () => {
    await install();
    world.endpoints.leave();
    await world.restart();
    assert.equal(world.service.authentication().mode, 'require-and-verify');
    await assert.rejects(world.client().call(certificates.canGenerateCSR, {}), {
      code: status.UNAVAILABLE,
    });
  });
});

describe('what a client does', () => {
  it('is told in one line for each step, without a key', async () => {
    await install();
    const lines = world.audit.filter((line) => line.includes('change'));
    assert.equal(lines.length, 2);
    assert.match(
      lines[0] ?? '',
      /"user":"admin".*"request":"Install","step":"generate_csr","certificate":"gnoi-server1","outcome":"OK"/,
    );
    assert.match(lines[1] ?? '', /"step":"load_certificate"/);
    assert.doesNotMatch(world.audit.join() + world.log.join(), /PRIVATE KEY|right password/);
  });
});
