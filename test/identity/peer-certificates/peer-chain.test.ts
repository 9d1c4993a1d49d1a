import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { PeerChains } from '../../../src/identity/peer-certificates/peer-chain.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const always = { from: '20200101000000Z', until: '20990101000000Z' };

describe('the chain that a client shows', () => {
  let authority: OpensslAuthority;
  let middle: Issued;
  let leaf: Issued;
  let server: Server;
  const chains = new PeerChains({ chainCertificates: 10, content: usualLimits });

  before(async () => {
    authority = opensslAuthority();
    const root = authority.issueCa({ ...always, subject: '/CN=Root' });
    middle = authority.issueCa({ ...always, subject: '/CN=Middle', issuer: root });
    leaf = authority.issue({ ...always, subject: '/CN=admin', issuer: middle });
    const own = { key: leaf.key, cert: leaf.pem, ca: root.pem };
    server = createServer({ ...own, requestCert: true, rejectUnauthorized: false });
    server.on('keylog', loseChain);
    chains.keep(server, () => true);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  after(() => {
    server.close();
    authority.remove();
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is read before Node itself loses it, over ${maxVersion}`, async () => {
      const { port } = server.address() as AddressInfo;
      const shown = { key: leaf.key, cert: leaf.pem + middle.pem };
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion };
      const client = connect({ ...options, ...shown });
      const [socket]: TLSSocket[] = await once(server, 'secureConnection');
      const { certificates } = chains.of(socket ?? {}) ?? {};
      assert.deepEqual(
        certificates?.slice(0, 2).map(({ fingerprint }) => fingerprint),
        [leaf, middle].map(({ certificate }) => certificate.fingerprint),
      );
      client.destroy();
    });
  }
});

/** Does what Node 24.21 does before it emits `secureConnection`. */
function loseChain(_line: Buffer, socket: TLSSocket): void {
  if (socket.listenerCount('secure', lose) === 0) socket.prependListener('secure', lose);
}

function lose(this: TLSSocket): void {
  this.getPeerX509Certificate();
}
