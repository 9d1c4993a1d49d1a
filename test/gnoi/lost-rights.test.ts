import assert from 'node:assert/strict';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { User } from '../../src/identity/accounts/user-directory.ts';
import { until } from '../e2e/commands.ts';
import {
  certificates,
  csrParams,
  sent,
  serverExtensions,
  startWorld,
  type World,
  workSettings,
} from './world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ work: { ...workSettings, verify: false } });
});
afterEach(() => world.close());

const withKey = () => {
  const { pem, key } = world.tools.issue({ extensions: serverExtensions });
  const keyPair = { privateKey: Buffer.from(key) };
  return { certificateId: 'a', certificate: sent(pem), keyPair };
};

describe('a right that is taken away during a call', () => {
  const changes: [string, Partial<User>, number][] = [
    ['the role', { role: 'Operator' }, status.PERMISSION_DENIED],
    ['the account', { enabled: false }, status.UNAUTHENTICATED],
    ['the password', { passwordStamp: '2' }, status.UNAUTHENTICATED],
  ];
  for (const [name, change, code] of changes) {
    it(`with ${name} ends an installation before its certificate`, async () => {
      const stream = world.client().open(certificates.install);
      const generate = { certificateId: 'a', csrParams };
      await stream.ask({ installRequest: { case: 'generateCsr', value: generate } });
      world.users.change('admin', change);
      const { certificate } = withKey();
      stream.send({ installRequest: { case: 'loadCertificate', value: { certificate } } });
      assert.equal((await stream.status).code, code);
      assert.equal(world.endpoints.waiting, 0);
    });

    it(`with ${name} has a rotation undone instead of finalized`, async () => {
      const client = world.client();
      await client.call(certificates.loadCertificate, withKey());
      const reader = world.client({ user: 'operator' });
      const before = await reader.call(certificates.getCertificates, {});
      const stream = client.open(certificates.rotate);
      await stream.ask({ rotateRequest: { case: 'loadCertificate', value: withKey() } });
      world.users.change('admin', change);
      stream.send({ rotateRequest: { case: 'finalizeRotation', value: {} } });
      assert.equal((await stream.status).code, code);
      assert.deepEqual(await reader.call(certificates.getCertificates, {}), before);
    });
  }

  it('counts for a message that comes long after the login', async () => {
    const session = connect(`https://127.0.0.1:${world.service.port}`, {
      rejectUnauthorized: false,
    });
    const call = session.request({
      ':method': 'POST',
      ':path': '/gnoi.certificate.CertificateManagement/RevokeCertificates',
      ...{ te: 'trailers', 'content-type': 'application/grpc' },
      ...{ username: 'admin', password: 'right password' },
    });
    const ended = new Promise<IncomingHttpHeaders>((resolve) => {
      call.on('response', (headers) => 'grpc-status' in headers && resolve(headers));
      call.on('trailers', resolve);
    });
    await until('the user is in', () => world.users.checked === 1);
    world.users.change('admin', { enabled: false });
    // A message without a member
    call.end(Buffer.alloc(5));
    call.resume();
    assert.equal(Number((await ended)['grpc-status']), status.UNAUTHENTICATED);
    session.destroy();
  });
});

it('a lock, which guesses of a stranger bring about, ends no rotation', async () => {
  const client = world.client();
  await client.call(certificates.loadCertificate, withKey());
  const stream = client.open(certificates.rotate);
  await stream.ask({ rotateRequest: { case: 'loadCertificate', value: withKey() } });
  world.users.change('admin', { locked: true });
  stream.send({ rotateRequest: { case: 'finalizeRotation', value: {} } });
  assert.equal((await stream.status).code, status.OK);
});
