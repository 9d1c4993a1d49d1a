import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { background, run, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import type { Issued } from '../fakes/openssl-authority.ts';
import { csrParams, serverExtensions, startWorld, type World } from './world.ts';

const buf = join(clone, 'node_modules', '.bin', 'buf');
const service = 'gnoi.certificate.CertificateManagement';

describe('buf curl, whose gRPC is written in Go', () => {
  let world: World;
  let ca: Issued;
  let own: Issued;

  before(async () => {
    world = await startWorld();
    ca = world.tools.issueCa();
    own = world.tools.issue({ issuer: ca, extensions: serverExtensions });
  });
  after(() => world.close());

  function command(call: string, data: string, more: readonly string[] = []): string[] {
    const trusted = world.tools.write('trusted.pem', world.ownCertificate);
    const schema = ['--schema', join(clone, 'schemas', 'gnoi'), '--protocol', 'grpc'];
    const login = ['-H', 'username: admin', '-H', 'password: right password'];
    const tls = ['--cacert', trusted, '--servername', 'localhost'];
    const address = `https://127.0.0.1:${world.service.port}/${call}`;
    return ['curl', ...schema, ...tls, ...login, ...more, '-d', data, address];
  }

  const ask = async (call: string, request: object, more: readonly string[] = []) => {
    const { status, stdout, stderr } = await run(buf, command(call, JSON.stringify(request), more));
    return { status, answer: status === 0 ? JSON.parse(stdout || '{}') : {}, stderr };
  };

  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const certificate = (pem: string) => ({ type: 'CT_X509', certificate: base64(pem) });

  it('asks for the time', async () => {
    const { answer } = await ask('gnoi.system.System/Time', {});
    assert.ok(BigInt(answer.time) > 1_700_000_000_000_000_000n);
  });

  it('asks whether a CSR can be made', async () => {
    const request = { keyType: 'KT_RSA', certificateType: 'CT_X509', keySize: 2048 };
    const { answer } = await ask(`${service}/CanGenerateCSR`, request);
    assert.deepEqual(answer, { canGenerate: true });
  });

  it('asks for a CSR, and is told of an id that is none', async () => {
    const { answer } = await ask(`${service}/GenerateCSR`, { certificateId: 'a', csrParams });
    assert.match(Buffer.from(answer.csr.csr, 'base64').toString(), /BEGIN CERTIFICATE REQUEST/);
    const { status, stderr } = await ask(`${service}/GenerateCSR`, { csrParams });
    // 8 times the number of INVALID_ARGUMENT
    assert.equal(status, 24, stderr);
  });

  it('installs with a stream that stays open for the answer, and then needs a certificate', async () => {
    const stream = background(buf, command(`${service}/Install`, '@-'));
    const value = {
      ...{ certificateId: 'buf', certificate: certificate(own.pem) },
      keyPair: { privateKey: base64(own.key) },
      caCertificates: [certificate(ca.pem)],
    };
    stream.process.stdin.write(`${JSON.stringify({ loadCertificate: value })}\n`);
    await until('the answer comes', () => stream.output().includes('loadCertificate'));
    const ended = once(stream.process, 'exit');
    stream.process.stdin.end();
    assert.deepEqual(await ended, [0, null], stream.output());
    const without = await ask(`${service}/GetCertificates`, {});
    assert.notEqual(without.status, 0);
    const shown = ['--cert', own.path, '--key', own.keyPath];
    const { answer, stderr } = await ask(`${service}/GetCertificates`, {}, shown);
    assert.equal(answer.certificateInfo?.[0]?.certificateId, 'buf', stderr);
    const revoked = await ask(`${service}/RevokeCertificates`, { certificateId: ['buf'] }, shown);
    assert.deepEqual(revoked.answer, { revokedCertificateId: ['buf'] });
  });

  it('is not let in without a password', async () => {
    const shown = ['--cert', own.path, '--key', own.keyPath, '-H', 'password: '];
    const { status } = await ask(`${service}/GetCertificates`, {}, shown);
    assert.equal(status, 8 * 16);
  });
});
