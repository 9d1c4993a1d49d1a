import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import { untilShown } from '../../src/gnoi/shown-certificate.ts';
import { makeCredential } from '../fakes/credentials.ts';
import { opensslAuthority } from '../fakes/openssl-authority.ts';
import { startWorld } from './world.ts';

const tools = opensslAuthority();
after(() => tools.remove());

describe('the answer to a load', () => {
  it('waits for a handshake over the port that shows the certificate, whatever the service means to show', async (t) => {
    const before = tools.issue();
    const next = makeCredential('localhost');
    const pems = { key: next.key, cert: next.certificate.pem };
    const server = createServer({ key: before.key, cert: before.pem });
    let handshakes = 0;
    // The handshake of a connection that is told of has its certificate already
    server.on('connection', () => {
      handshakes += 1;
      server.setSecureContext(pems);
    });
    t.after(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const options = {
      isBound: (id: string) => id === 'a',
      identity: { credential: next, fault: undefined, refresh: () => undefined },
      listensAt: () => ({ address: '0.0.0.0', port }),
    };
    await untilShown(options, 'other', next.certificate);
    assert.equal(handshakes, 0);
    await untilShown(options, 'a', next.certificate);
    assert.equal(handshakes, 2);
  });
});

describe('the port of the service', () => {
  it('selects h2 of what a client offers', async () => {
    const world = await startWorld();
    try {
      const socket = connect({
        ...{ host: '127.0.0.1', port: world.service.port },
        ...{ ca: world.ownCertificate, servername: 'localhost', ALPNProtocols: ['http/1.1', 'h2'] },
      });
      await once(socket, 'secureConnect');
      assert.equal(socket.alpnProtocol, 'h2');
      socket.destroy();
    } finally {
      await world.close();
    }
  });
});
