import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseConfiguration } from '../../../src/platform/configuration.ts';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { samplePem, startService, type TestService } from '../service.ts';

const manager = '/redfish/v1/Managers/bmc';
const locations = '/redfish/v1/CertificateService/CertificateLocations';
const syslog = `${manager}/CertificateEndpoints/server/syslog/Certificates`;
const gnmi = `${manager}/CertificateEndpoints/server/gnmi/Certificates`;
const https = `${manager}/NetworkProtocol/HTTPS/Certificates`;

describe('CertificateLocations', () => {
  const { endpoints } = parseConfiguration(
    JSON.stringify({
      endpoints: [
        { type: 'server', name: 'https', path: '/https.pem' },
        { type: 'server', name: 'gnmi', path: '/gnmi.pem' },
        { type: 'server', name: 'syslog', path: '/syslog.pem', inCertificateLocations: false },
        { type: 'authority', name: 'truststore', path: '/ca', inCertificateLocations: false },
      ],
    }),
    'test',
  );
  let service: TestService;

  before(async () => {
    service = await startService({ parts: { collections: () => collectionsOf('bmc', endpoints) } });
    for (const { type, name } of endpoints) service.client.put({ type, name }, '1', samplePem);
  });

  after(() => service.close());

  const read = async (path: string) => JSON.parse((await service.ask('GET', path)).text);

  it('lists the certificates of all endpoints but those that are left out of it', async () => {
    const { Links } = await read(locations);
    assert.deepEqual(Links.Certificates, [
      { '@odata.id': `${https}/1` },
      { '@odata.id': `${gnmi}/1` },
    ]);
    assert.equal(Links['Certificates@odata.count'], 2);
  });

  for (const uri of [syslog, `${manager}/Truststore/Certificates`]) {
    it(`leaves ${uri} where it is, linked and usable`, async () => {
      const { Members } = await read(uri);
      assert.deepEqual(Members, [{ '@odata.id': `${uri}/1` }]);
      assert.equal((await service.ask('GET', `${uri}/1`)).status, 200);
      const { Oem } = await read(manager);
      assert.ok(JSON.stringify(Oem).includes(`"${uri}"`));
    });
  }

  it('leaves an endpoint out of it that still takes certificates', async () => {
    const body = {
      CertificateString: samplePem,
      CertificateType: 'PEM',
      CertificateUri: { '@odata.id': `${syslog}/1` },
    };
    const action = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
    const { status, text } = await service.ask('POST', action, { body });
    assert.ok(status < 300, text);
  });
});
