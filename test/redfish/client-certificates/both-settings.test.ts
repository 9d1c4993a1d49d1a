import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { accountsAt } from '../../fakes/accounts.ts';
import { diskError, nothingReplaces, onDisk } from '../../fakes/moody-disk.ts';
import { type OpensslAuthority, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { startTlsService, type TlsService, truststore } from './tls-service.ts';

const uri = '/redfish/v1/AccountService';
const as = 'admin:admin-pw';

describe('a change of client certificates and of rules for passwords in one request', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let heal: () => void = () => undefined;

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
  afterEach(() => heal());

  const patch = (CertificateMappingAttribute: string, rules: object) => {
    const ClientCertificate = { CertificateMappingAttribute };
    const body = { MultiFactorAuth: { ClientCertificate }, ...rules };
    return service.ask(uri, { method: 'PATCH', body, as });
  };
  /** As it counts, and as it would after a start. */
  async function state() {
    const view = JSON.parse((await service.ask(uri, { as })).text);
    const { clientCertificates } = service.stored();
    const { maxPasswordLength } = accountsAt(
      join(dirname(service.settingsPath), 'accounts.json'),
    ).rules;
    const now = view.MultiFactorAuth.ClientCertificate.CertificateMappingAttribute;
    return [now, clientCertificates.mapping, view.MaxPasswordLength, maxPasswordLength];
  }

  const asBefore = ['CommonName', 'CommonName', 100, 100];
  const troubles: readonly [string, number, () => () => void][] = [
    ['has no room', 507, () => onDisk('open', () => () => Promise.reject(diskError('ENOSPC')))],
    ['fails at the last step', 500, () => nothingReplaces(service.settingsPath)],
  ];
  for (const [what, answer, begin] of troubles) {
    it(`is not made at all when the disk ${what}`, async () => {
      heal = begin();
      const { status } = await patch('Whole', { MaxPasswordLength: 90 });
      heal();
      assert.equal(status, answer);
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

  it('switches the login with certificates as bmcweb does', async () => {
    for (const TLS of [false, true]) {
      const body = { Oem: { OpenBMC: { AuthMethods: { TLS } } } };
      const { status, text } = await service.ask(uri, { method: 'PATCH', body, as });
      assert.equal(status, 200, text);
      const { MultiFactorAuth, Oem } = JSON.parse(text);
      assert.equal(MultiFactorAuth.ClientCertificate.Enabled, TLS);
      assert.equal(Oem.OpenBMC.AuthMethods.TLS, TLS);
      assert.equal(service.stored().clientCertificates.enabled, TLS);
    }
    const Enabled = false;
    const MultiFactorAuth = { ClientCertificate: { Enabled } };
    const body = { Oem: { OpenBMC: { AuthMethods: { TLS: true } } }, MultiFactorAuth };
    assert.equal((await service.ask(uri, { method: 'PATCH', body, as })).status, 400);
  });

  it('is made when both succeed', async () => {
    assert.equal((await patch('Whole', { MaxPasswordLength: 90 })).status, 200);
    assert.deepEqual(await state(), ['Whole', 'Whole', 90, 90]);
  });
});
