import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  caExtensions,
  keyKinds,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { startTlsService, type TlsService, truststore } from './tls-service.ts';

const always = { from: '20200101000000Z', until: '20990101000000Z' };

// Upstream's manager takes any authority, and OpenSSL completes a leaf that stands alone with its issuer from there
describe('a weak CA in the truststore that issued the certificate of the service', () => {
  let authority: OpensslAuthority;
  let service: TlsService;

  before(async () => {
    authority = opensslAuthority();
    const weak = authority.issueCa({ ...always, subject: '/CN=Old', key: keyKinds.rsa(1024) });
    const own = authority.issue({ subject: '/CN=bmc', issuer: weak });
    service = await startTlsService(authority, {}, own);
    service.client.put(truststore, '2', weak.pem);
  });
  after(async () => {
    await service.close();
    authority.remove();
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`keeps nobody from a handshake of ${maxVersion}, and others from no login`, async () => {
      const root = authority.issueCa({ ...always, subject: '/CN=Root', extensions: caExtensions });
      service.client.put(truststore, '1', root.pem);
      const show = authority.issue({ ...always, subject: '/CN=admin', issuer: root });
      const answer = await service.ask('/redfish/v1/SessionService/Sessions', {
        show,
        tls: { maxVersion },
      });
      assert.equal(answer.status, 200, answer.text);
      assert.match(service.log.join('\n'), /authorities are too weak for the handshake/);
    });
  }
});
