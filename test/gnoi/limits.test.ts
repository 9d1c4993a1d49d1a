import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { System } from '../../schemas/generated/gnoi/system_pb.js';
import type { GnoiSettings } from '../../src/gnoi/gnoi-service.ts';
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
afterEach(() => world.close());

const start = async (changes: Partial<GnoiSettings>) => {
  world = await startWorld(changes);
  return world.client();
};

const generate = { certificateId: 'a', csrParams };
const soon = 300;
const late = 600_000;

describe('a limit of the gNOI service', () => {
  it('ends a stream without a message', async () => {
    const client = await start({
      steps: { firstMessageMilliseconds: soon, signingMilliseconds: late },
    });
    const { code } = await client.open(certificates.install).status;
    assert.equal(code, status.DEADLINE_EXCEEDED);
  });

  it('ends a stream whose certificate does not come, with its key', async () => {
    const client = await start({
      steps: { firstMessageMilliseconds: late, signingMilliseconds: soon },
    });
    const stream = client.open(certificates.install);
    await stream.ask({ installRequest: { case: 'generateCsr', value: generate } });
    assert.equal((await stream.status).code, status.DEADLINE_EXCEEDED);
    assert.equal(world.endpoints.waiting, 0);
  });

  it('undoes a rotation that is not finalized', async () => {
    const client = await start({ work: { ...workSettings, verify: false, finalizeSeconds: 5 } });
    const load = () => {
      const own = world.tools.issue({ extensions: serverExtensions });
      return {
        ...{ certificateId: 'a', certificate: sent(own.pem) },
        keyPair: { privateKey: Buffer.from(own.key) },
      };
    };
    await client.call(certificates.loadCertificate, load());
    const before = await client.call(certificates.getCertificates, {});
    const stream = client.open(certificates.rotate);
    await stream.ask({ rotateRequest: { case: 'loadCertificate', value: load() } });
    const during = await client.call(certificates.getCertificates, {});
    assert.notDeepEqual(during.certificateInfo, before.certificateInfo);
    assert.equal((await stream.status).code, status.DEADLINE_EXCEEDED);
    // With the time at which the certificate came
    const undone = await client.call(certificates.getCertificates, {});
    assert.deepEqual(undone.certificateInfo, before.certificateInfo);
  });

  it('gives up keys that wait for another call', async () => {
    const client = await start({ parkedMilliseconds: soon });
    await client.call(certificates.generateCSR, generate);
    await until('the key is given up', () => world.endpoints.waiting === 0);
  });

  it('gives up no key of a stream for one of another user that waited before', async () => {
    const client = await start({ parkedMilliseconds: 2000 });
    await client.call(certificates.generateCSR, generate);
    await client.call(certificates.generateCSR, { ...generate, certificateId: 'later' });
    world.users.change('operator', { role: 'Administrator' });
    const stream = world.client({ user: 'operator' }).open(certificates.install);
    await stream.ask({ installRequest: { case: 'generateCsr', value: generate } });
    const later = { type: 'server', name: 'later' } as const;
    await until(
      'the later key is given up',
      async () => (await world.endpoints.outstanding(later)).length === 0,
    );
    assert.equal(world.endpoints.waiting, 1);
  });

  it('refuses messages that are too large', async () => {
    const client = await start({ messageBytes: 4096 });
    const request = { caCertificates: [sent('x'.repeat(5000))] };
    await assert.rejects(client.call(certificates.loadCertificateAuthorityBundle, request), {
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  it('refuses a bundle with too many names', async () => {
    const client = await start({ work: { ...workSettings, nameBytes: 50 } });
    const names = ['A', 'B', 'C'].map((name) => world.tools.issueCa({ subject: `/CN=${name}` }));
    const request = { caCertificates: names.map(({ pem }) => sent(pem)) };
    await assert.rejects(client.call(certificates.loadCertificateAuthorityBundle, request), {
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  it('lets further calls of a connection wait', async () => {
    const client = await start({ streamsPerConnection: 2 });
    // The server tells its limit in the beginning
    await client.call(System.method.time, {});
    const open = [client.open(certificates.install), client.open(certificates.install)];
    const third = client.call(System.method.time, {});
    let isAnswered = false;
    void third.then(() => {
      isAnswered = true;
    });
    await world.client().call(System.method.time, {});
    assert.equal(isAnswered, false);
    for (const stream of open) stream.halfClose();
    await third;
  });
});
