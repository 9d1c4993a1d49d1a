import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ClientAuthentication } from '../../src/gnoi/serving/client-authentication.ts';
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
afterEach(() => world.close());

const generate = { certificateId: 'a', csrParams };
const csr = { installRequest: { case: 'generateCsr' as const, value: generate } };
const late = 600_000;

describe('a setting of the gNOI service that changes while it runs', () => {
  it('counts for streams that begin, whatever those that are open began with', async () => {
    world = await startWorld();
    const client = world.client();
    const open = client.open(certificates.install);
    await open.ask(csr);
    world.service.apply({ ...world.settings, streams: 'junos' });
    const next = client.open(certificates.install);
    await next.ask({
      installRequest: { case: 'generateCsr', value: { ...generate, certificateId: 'b' } },
    });
    for (const stream of [open, next]) stream.halfClose();
    assert.equal((await open.status).code, status.ABORTED);
    assert.equal((await next.status).code, status.OK);
  });

  it('is a time limit', async () => {
    world = await startWorld();
    const steps = { firstMessageMilliseconds: 100, signingMilliseconds: late };
    world.service.apply({ ...world.settings, steps });
    const { code } = await world.client().open(certificates.install).status;
    assert.equal(code, status.DEADLINE_EXCEEDED);
  });

  it('is whether a CA must verify a certificate', async () => {
    world = await startWorld();
    const own = world.tools.issue({ extensions: serverExtensions });
    const load = {
      ...{ certificateId: 'a', certificate: sent(own.pem) },
      keyPair: { privateKey: Buffer.from(own.key) },
    };
    const client = world.client();
    await assert.rejects(client.call(certificates.loadCertificate, load), {
      code: status.FAILED_PRECONDITION,
    });
    world.service.apply({ ...world.settings, work: { ...workSettings, verify: false } });
    await client.call(certificates.loadCertificate, load);
  });

  it('is how clients are authenticated, and ends connections of before', async () => {
    world = await startWorld({ drainMilliseconds: 0 });
    const stream = world.client().open(certificates.install);
    await stream.ask(csr);
    const authenticate = (clientAuthentication: ClientAuthentication) =>
      world.service.apply({ ...world.settings, clientAuthentication });
    authenticate('require');
    assert.notEqual((await stream.status).code, status.OK);
    assert.deepEqual(world.service.authentication(), { mode: 'require', cause: 'configuration' });
    await assert.rejects(world.client().call(certificates.getCertificates, {}), {
      code: status.UNAVAILABLE,
    });
    authenticate('request');
    await world.client().call(certificates.getCertificates, {});
  });
});
