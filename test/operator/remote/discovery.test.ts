import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { discover } from '../../../src/operator/remote/discovery.ts';
import { nameOf } from '../../../src/operator/targets.ts';

const link = (path: string) => ({ '@odata.id': path });
const members = (...paths: readonly string[]) => ({ Members: paths.map(link) });

/** The names of the places that are found, with their URIs. */
async function placesOf(resources: Readonly<Record<string, object>>) {
  const look = async (path: string): Promise<unknown> => resources[path];
  const { places } = await discover({ look }, resources['/']);
  return Object.fromEntries(places.map(({ endpoint, uri }) => [nameOf(endpoint), uri]));
}

const manager = (uri: string) => ({
  [uri]: { NetworkProtocol: link(`${uri}/N`), SecurityPolicy: link(`${uri}/S`) },
  [`${uri}/N`]: { HTTPS: { Certificates: link(`${uri}/https`) } },
});

describe('the collections of a Redfish service', () => {
  it('are found by links, wherever they are', async () => {
    const places = await placesOf({
      '/': { Managers: link('/m'), AccountService: link('/a') },
      '/m': members('/m/1'),
      ...manager('/m/1'),
      '/m/1/S': {
        TLS: {
          Server: { TrustedCertificates: link('/ts'), RevokedCertificates: link('/rs') },
          Client: { TrustedCertificates: link('/redfish/v1/tc') },
        },
      },
      '/a': { LDAP: { Certificates: link('/l') }, ActiveDirectory: { Certificates: link('/ad') } },
    });
    assert.deepEqual(places, {
      'authority/revoked': '/rs',
      'authority/tc': '/redfish/v1/tc',
      'authority/truststore': '/ts',
      'client/active_directory': '/ad',
      'client/ldap': '/l',
      'server/https': '/m/1/https',
    });
  });

  it('have the truststore of OpenBMC once, whatever second names it has', async () => {
    const policy = {
      Server: { TrustedCertificates: link('/ts') },
      Client: { TrustedCertificates: link('/tc') },
    };
    const places = await placesOf({
      '/': { Managers: link('/m'), AccountService: link('/a') },
      '/m': members('/m/bmc'),
      '/m/bmc': {
        SecurityPolicy: link('/p'),
        Oem: { OpenBmc: { Certificates: link('/truststore') } },
      },
      '/p': { TLS: policy },
      '/a': { MultiFactorAuth: { ClientCertificate: { Certificates: link('/mfa') } } },
    });
    assert.deepEqual(places, { 'authority/truststore': '/truststore' });
  });

  it('are those of the manager of the service first, and of others under numbered names', async () => {
    const places = await placesOf({
      '/': { Managers: link('/m'), Links: { ManagerProvidingService: link('/m/2') } },
      '/m': members('/m/1', '/m/2'),
      ...manager('/m/1'),
      ...manager('/m/2'),
    });
    assert.deepEqual(places, { 'server/https': '/m/2/https', 'server/https_2': '/m/1/https' });
  });

  it('are named by their paths where only the list of locations has them', async () => {
    const places = await placesOf({
      '/': { CertificateService: link('/c') },
      '/c': { CertificateLocations: link('/c/l') },
      '/c/l': {
        Links: {
          Certificates: [
            link('/redfish/v1/Systems/1/Boot/Certificates/7'),
            link('/redfish/v1/Chassis/1/NetworkAdapters/A-1/Certificates/x'),
            link('/redfish/v1/Managers/bmc/CertificateEndpoints/client/nats/Certificates/1'),
          ],
        },
      },
    });
    assert.deepEqual(Object.keys(places), [
      'authority/Systems_1_Boot',
      'client/nats',
      'server/Chassis_1_NetworkAdapters_A_1',
    ]);
  });
});
