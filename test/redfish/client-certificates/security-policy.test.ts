import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';

const uri = '/redfish/v1/Managers/bmc/SecurityPolicy';

describe('the security policy', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
  });

  after(() => service.close());

  it('says what the TLS of the service allows', async () => {
    const { status, text } = await service.ask('GET', uri);
    assert.equal(status, 200);
    const body = JSON.parse(text);
    assert.equal(body['@odata.type'], '#SecurityPolicy.v1_0_3.SecurityPolicy');
    const { Allowed, TrustedCertificates } = body.TLS.Server;
    assert.deepEqual(Allowed.Versions, ['1.2', '1.3']);
    assert.equal(Allowed.Algorithms.CipherSuites.length, 9);
    assert.ok(Allowed.Algorithms.CipherSuites.every((suite: string) => /GCM|CHACHA/.test(suite)));
    assert.ok(Allowed.Algorithms.SignatureAlgorithms.includes('ed25519'));
    const trusted = await service.ask('GET', TrustedCertificates['@odata.id']);
    assert.equal(trusted.status, 200);
  });

  it('is linked from its manager, read-only, and known for no other', async () => {
    const manager = await service.ask('GET', '/redfish/v1/Managers/bmc');
    assert.equal(JSON.parse(manager.text).SecurityPolicy['@odata.id'], uri);
    assert.equal((await service.ask('PATCH', uri, { body: { TLS: {} } })).status, 405);
    assert.equal((await service.ask('GET', uri.replace('bmc', 'other'))).status, 404);
    assert.equal((await service.ask('GET', uri, { as: '' })).status, 401);
  });
});
