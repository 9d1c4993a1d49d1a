import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Connection } from '../../../src/operator/remote/connection.ts';
import { PeerTrust } from '../../../src/operator/remote/peer-trust.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

describe('requests to a Redfish service', () => {
  it('are few at once, however many there are', async () => {
    const { key, pem, certificate } = tools.issue();
    let atWork = 0;
    let most = 0;
    const server = createServer({ key, cert: pem }, async (_request, response) => {
      atWork += 1;
      most = Math.max(most, atWork);
      // Others have time to come
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      atWork -= 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const trust = new PeerTrust({
      host: 'service',
      hasAuthorities: false,
      fingerprint: certificate.x509.fingerprint256,
      knownHosts: { fingerprintsOf: async () => [], remember: async () => undefined },
      confirm: undefined,
      warn: assert.fail,
    });
    const url = new URL(`https://127.0.0.1:${port}`);
    const connection = new Connection({
      url,
      trust,
      authorities: undefined,
      credential: undefined,
    });
    const exchange = { method: 'GET', path: '/redfish/v1/' } as const;
    const all = Array.from({ length: 50 }, () => connection.send(exchange, 60_000));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    connection.close();
    server.close();
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.ok(most > 1 && most <= 4, `${most} at once`);
  });
});
