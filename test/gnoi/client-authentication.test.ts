import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { System } from '../../schemas/generated/gnoi/system_pb.js';
import {
  authenticationMode,
  type ClientAuthentication,
} from '../../src/gnoi/serving/client-authentication.ts';
import { certificates, sent, startWorld } from './world.ts';

describe('what is asked of the certificates of clients', () => {
  it('follows from the bundle, unless the configuration says it', () => {
    assert.deepEqual(authenticationMode(undefined, false), { mode: 'none', cause: 'no bundle' });
    assert.deepEqual(authenticationMode(undefined, true), {
      mode: 'require-and-verify',
      cause: 'bundle',
    });
    assert.deepEqual(authenticationMode('request', true), {
      mode: 'request',
      cause: 'configuration',
    });
  });

  /** Whether a client is let in that shows nothing, a certificate of another CA, and one of the bundle. */
  const modes: [ClientAuthentication, [boolean, boolean, boolean]][] = [
    ['none', [true, true, true]],
    ['request', [true, true, true]],
    ['request-and-verify', [true, false, true]],
    ['require', [false, true, true]],
    ['require-and-verify', [false, false, true]],
  ];
  for (const [mode, expected] of modes) {
    it(`lets in by ${mode} clients with nothing, a stranger's certificate, and one of the bundle: ${expected}`, async () => {
      const world = await startWorld({ clientAuthentication: mode });
      try {
        const ca = world.tools.issueCa();
        const own = world.tools.issue({ issuer: ca, subject: '/CN=client' });
        const strange = world.tools.issue({ subject: '/CN=stranger' });
        await world.endpoints
          .stage([
            {
              endpoint: { type: 'authority', name: 'gnoi-ca-bundle' },
              create: true,
              content: { bytes: Buffer.from(ca.pem), format: 'PEM', password: '' },
            },
          ])
          .then(async (name) => {
            await world.endpoints.activate(name);
            await world.endpoints.commit(name);
          });
        const outcomes: boolean[] = [];
        for (const shows of [undefined, strange, own]) {
          const client = world.client(shows && { shows });
          const isIn = await client.call(System.method.time, {}).then(
            () => true,
            () => false,
          );
          outcomes.push(isIn);
        }
        assert.deepEqual(outcomes, expected);
      } finally {
        await world.close();
      }
    });
  }

  it('ends connections of before when it changes, and not the answer', async () => {
    const world = await startWorld();
    try {
      const client = world.client();
      const idle = client.open(certificates.rotate);
      await client.call(System.method.time, {});
      const ca = world.tools.issueCa();
      await client.call(certificates.loadCertificateAuthorityBundle, {
        caCertificates: [sent(ca.pem)],
      });
      assert.notEqual((await idle.status).code, 0);
      await assert.rejects(client.call(System.method.time, {}));
    } finally {
      await world.close();
    }
  });
});
