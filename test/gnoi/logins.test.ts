import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { System } from '../../schemas/generated/gnoi/system_pb.js';
import type { User } from '../../src/identity/accounts/user-directory.ts';
import { until } from '../e2e/commands.ts';
import type { ClientOptions, GnoiClient } from './client.ts';
import { certificates, csrParams, startWorld, streamsPerConnection, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const time = (options: Partial<ClientOptions> = {}) =>
  world.client(options).call(System.method.time, {});

describe('a call', () => {
  const refused: [string, Partial<ClientOptions>][] = [
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { user: 'nobody' }],
    ['no password', { password: '' }],
    ['no user', { user: '' }],
  ];
  for (const [name, options] of refused) {
    it(`with ${name} is UNAUTHENTICATED, of one message or many, and does nothing`, async () => {
      const client = world.client(options);
      const request = { certificateId: 'a', csrParams };
      await assert.rejects(client.call(certificates.generateCSR, request), {
        code: status.UNAUTHENTICATED,
      });
      const stream = client.open(certificates.install);
      stream.send({ installRequest: { case: 'generateCsr', value: request } });
      assert.equal((await stream.status).code, status.UNAUTHENTICATED);
      assert.equal(world.endpoints.waiting, 0);
    });
  }

  it('with much metadata is refused before its login', async () => {
    for (const one of [{ user: 'x'.repeat(9000) }, { password: 'x'.repeat(9000) }])
      await assert.rejects(time(one), { code: status.RESOURCE_EXHAUSTED });
    assert.equal(world.users.checked, 0);
  });

  it('of a user without the right is PERMISSION_DENIED, and may read', async () => {
    const client = world.client({ user: 'operator' });
    assert.deepEqual((await client.call(certificates.getCertificates, {})).certificateInfo, []);
    await assert.rejects(client.call(certificates.revokeCertificates, {}), {
      code: status.PERMISSION_DENIED,
    });
    const stream = client.open(certificates.rotate);
    stream.halfClose();
    assert.equal((await stream.status).code, status.PERMISSION_DENIED);
  });

  it('is UNAVAILABLE while nobody knows the accounts', async () => {
    world.users.isAway = true;
    await assert.rejects(time(), { code: status.UNAVAILABLE });
    world.users.isAway = false;
    await time();
  });

  it('with an expired password is PERMISSION_DENIED', async () => {
    world.users.change('admin', { passwordChangeRequired: true });
    await assert.rejects(time(), { code: status.PERMISSION_DENIED });
  });
});

describe('logins of a client that resets its streams', () => {
  let decide: () => void;
  /** Resets as many streams as it may have, whose logins wait. */
  const waitingLogins = async (client: GnoiClient) => {
    const { users } = world;
    const login = users.login.bind(users);
    const decided = new Promise<void>((resolve) => {
      decide = resolve;
    });
    let begun = 0;
    users.login = async (...attempt) => {
      begun += 1;
      await decided;
      return login(...attempt);
    };
    for (let stream = 1; stream <= streamsPerConnection; stream += 1) {
      const { cancel, status: end } = client.open(certificates.install);
      await until('the login has begun', () => begun === stream);
      cancel();
      await end;
    }
  };

  it('are as many at a time as the client may have streams', async () => {
    const client = world.client();
    await waitingLogins(client);
    await assert.rejects(client.call(System.method.time, {}), {
      code: status.RESOURCE_EXHAUSTED,
    });
    decide();
    await client.call(System.method.time, {});
  });

  it('end its connection where it goes on', async () => {
    const client = world.client();
    await waitingLogins(client);
    for (let call = 1; call <= streamsPerConnection; call += 1)
      await assert.rejects(client.call(System.method.time, {}), {
        code: status.RESOURCE_EXHAUSTED,
      });
    await assert.rejects(client.call(System.method.time, {}), { code: status.UNAVAILABLE });
    assert.ok(world.log.some((line) => line.startsWith('connection dropped')));
  });
});

describe('a password that was right', () => {
  it('is not checked again on its connection, and again on another', async () => {
    const client = world.client();
    for (let call = 0; call < 3; call += 1) await client.call(System.method.time, {});
    assert.equal(world.users.checked, 1);
    await time();
    assert.equal(world.users.checked, 2);
  });

  it('does not make another one right', async () => {
    await time();
    await assert.rejects(time({ password: 'wrong' }), { code: status.UNAUTHENTICATED });
  });

  const changes: [string, Partial<User>, number][] = [
    ['is locked', { locked: true }, status.UNAUTHENTICATED],
    ['must change the password', { passwordChangeRequired: true }, status.PERMISSION_DENIED],
  ];
  for (const [name, change, code] of changes) {
    it(`serves no more when the user ${name}`, async () => {
      const client = world.client();
      await client.call(System.method.time, {});
      world.users.change('admin', change);
      await assert.rejects(client.call(System.method.time, {}), { code });
    });
  }

  it('gives the rights that the user has now', async () => {
    const client = world.client();
    await client.call(certificates.revokeCertificates, {});
    world.users.change('admin', { role: 'ReadOnly' });
    await assert.rejects(client.call(certificates.revokeCertificates, {}), {
      code: status.PERMISSION_DENIED,
    });
  });

  it('is checked again after it was changed', async () => {
    const client = world.client();
    await client.call(System.method.time, {});
    world.users.change('admin', { passwordStamp: '2' });
    await client.call(System.method.time, {});
    assert.equal(world.users.checked, 2);
  });
});
