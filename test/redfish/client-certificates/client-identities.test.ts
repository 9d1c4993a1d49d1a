import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import type { ClientIdentities } from '../../../src/identity/peer-certificates/client-identities.ts';
import type { MapType } from '../../../src/identity/peer-certificates/map-types.ts';
import { tlsFingerprintOf } from '../../../src/identity/peer-certificates/tls-fingerprint.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { startTlsService, type TlsService, truststore } from './tls-service.ts';

const always = { from: '20200101000000Z', until: '20990101000000Z' };

describe('a TLS connection that is mapped by a list of client identities', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  let middle: Issued;
  let client: Issued;
  let stranger: Issued;

  before(async () => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    middle = authority.issueCa({ ...always, subject: '/CN=Middle', issuer: root });
    client = authority.issue({
      ...always,
      subject: '/CN=reader',
      issuer: middle,
      extensions: [
        'basicConstraints=CA:FALSE',
        'subjectAltName=dirName:dir',
        '[dir]',
        'O=x/CN=reader',
        'CN=admin',
      ],
    });
    stranger = authority.issueCa({ ...always, subject: '/CN=Stranger' });
    service = await startTlsService(authority);
    service.client.put(truststore, '1', root.pem);
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  const entry = ({ certificate }: Issued, mapType: MapType, name?: string) => ({
    ...{ fingerprint: tlsFingerprintOf(certificate), mapType },
    name,
  });

  /** What the server makes of a connection: the name of the user, or the reason why it has none. */
  async function outcome(
    identities: ClientIdentities,
    show: readonly Issued[],
  ): Promise<string | undefined> {
    const accepted = once(service.server, 'secureConnection');
    const [own] = show;
    const socket = connect({
      ...{ port: service.port, host: '127.0.0.1', rejectUnauthorized: false },
      ...(own && { key: own.key, cert: show.map(({ pem }) => pem).join('') }),
    });
    socket.on('error', () => undefined);
    try {
      const [connection] = await accepted;
      const login = await service.certificates.peers.login(connection, identities);
      return login && ('account' in login ? login.account.userName : login.refusal);
    } finally {
      socket.destroy();
    }
  }

  it('belongs to the user of the entry with the fingerprint of an authority of its chain', async () => {
    for (const ca of [root, middle]) {
      const certToName = [entry(ca, 'san-dirname-cn')];
      assert.equal(await outcome({ certToName }, [client, middle]), 'admin');
    }
  });

  it('belongs to nobody by the fingerprint of a certificate that only came along', async () => {
    const certToName = [entry(stranger, 'specified', 'admin')];
    assert.equal(await outcome({ certToName }, [client, middle, stranger]), 'no-client-identity');
  });

  it('belongs to nobody, whatever the list says, when its chain is not trusted', async () => {
    const own = authority.issue({ ...always, subject: '/CN=admin' });
    const certToName = [entry(client, 'specified', 'admin'), entry(own, 'specified', 'admin')];
    assert.equal(await outcome({ certToName }, [client]), 'untrusted-issuer');
    assert.equal(await outcome({ certToName }, [own]), 'untrusted-issuer');
  });

  it('belongs to the default only where no entry matches', async () => {
    const defaultIdentity = { mapType: 'specified', name: 'admin' } as const;
    const shown = [client, middle];
    assert.equal(await outcome({ certToName: [], defaultIdentity }, shown), 'admin');
    const certToName = [entry(client, 'san-dns-name')];
    assert.equal(await outcome({ certToName, defaultIdentity }, shown), 'no-user-name');
  });

  it('has no login without a certificate', async () => {
    const defaultIdentity = { mapType: 'specified', name: 'admin' } as const;
    assert.equal(await outcome({ certToName: [], defaultIdentity }, []), undefined);
  });
});
