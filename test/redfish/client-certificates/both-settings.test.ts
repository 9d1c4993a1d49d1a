import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { type OpensslAuthority, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { startTlsService, type TlsService, truststore } from './tls-service.ts';

const uri = '/redfish/v1/AccountService';
const as = 'admin:admin-pw';

describe('a change of client certificates and of rules for passwords in one request', () => {
  let authority: OpensslAuthority;
  let service: TlsService;

  before(async () => {
    authority = opensslAuthority();
    service = await startTlsService(authority);
    service.client.put(truststore, '1', authority.issueCa().pem);
  });
  after(async () => {
    await service.close();
    authority.remove();
  });
  beforeEach(async () => {
    const { status, text } = await patch('CommonName', { MaxPasswordLength: 100 });
    assert.equal(status, 200, text);
  });

  const patch = (CertificateMappingAttribute: string, rules: object) => {
    const ClientCertificate = { CertificateMappingAttribute };
    const body = { MultiFactorAuth: { ClientCertificate }, ...rules };
    return service.ask(uri, { method: 'PATCH', body, as });
  };
  /** As it counts, and as it would after a start. */
  async function state() {
    const view = JSON.parse((await service.ask(uri, { as })).text);
    const { mapping } = JSON.parse(readFileSync(service.settingsPath, 'utf8'));
    const rules = join(dirname(service.settingsPath), 'access-settings.json');
    const { maxPasswordLength } = JSON.parse(readFileSync(rules, 'utf8'));
    const now = view.MultiFactorAuth.ClientCertificate.CertificateMappingAttribute;
    return [now, mapping, view.MaxPasswordLength, maxPasswordLength];
  }

  const asBefore = ['CommonName', 'CommonName', 100, 100];
  for (const file of ['client-certificates.json', 'access-settings.json']) {
    it(`is not made at all when the disk does not take ${file}`, async () => {
      const heal = onDisk(
        'open',
        (real) =>
          (...args) =>
            String(args[0]).includes(file) ? Promise.reject(diskError('ENOSPC')) : real(...args),
      );
      const { status } = await patch('Whole', { MaxPasswordLength: 90 });
      heal();
      assert.ok(status >= 500, String(status));
      assert.deepEqual(await state(), asBefore);
    });
  }

  it('is not made at all when one of them is refused', async () => {
    const rules = { MinPasswordLength: 90, MaxPasswordLength: 80 };
    assert.equal((await patch('Whole', rules)).status, 400);
    assert.deepEqual(await state(), asBefore);
    assert.equal((await patch('Nonsense', { MaxPasswordLength: 90 })).status, 400);
    assert.deepEqual(await state(), asBefore);
  });

  it('is made when both succeed', async () => {
    assert.equal((await patch('Whole', { MaxPasswordLength: 90 })).status, 200);
    assert.deepEqual(await state(), ['Whole', 'Whole', 90, 90]);
  });
});
