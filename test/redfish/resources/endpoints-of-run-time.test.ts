import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { CertificateEvents } from '../../../src/redfish/events/certificate-events.ts';
import { samplePem, startService, type TestService } from '../service.ts';

const manager = '/redfish/v1/Managers/bmc';
const service = '/redfish/v1/CertificateService';
const group = { type: 'authority', name: 'gnoi-ca-bundle' } as const;
const one = { type: 'server', name: 'a.b-c_1' } as const;
const other = { type: 'server', name: 'other' } as const;
const uriOf = ({ type, name }: { readonly type: string; readonly name: string }) =>
  `${manager}/CertificateEndpoints/${type}/${name}/Certificates`;

describe('the endpoints of run time in Redfish', () => {
  let world: TestService;
  before(async () => {
    world = await startService();
  });
  after(() => world?.close());
  beforeEach(() => {
    world.client.away = false;
    world.client.refusal = undefined;
    world.client.ofRunTime = [group, one];
    world.client.put(group, '4', samplePem);
    world.client.put(one, '1', samplePem);
  });

  const read = async (path: string) => {
    const { status, text } = await world.ask('GET', path);
    assert.equal(status, 200, `${path}: ${text}`);
    return JSON.parse(text);
  };
  const certificate = `${uriOf(group)}/4`;

  it('have collections and certificates, linked from the manager and in CertificateLocations', async () => {
    for (const endpoint of [group, one]) {
      const collection = await read(uriOf(endpoint));
      assert.equal(collection.Members.length, 1);
      assert.equal(collection.Oem.BmcCertificates.Origin, 'RunTime');
      const found = await read(collection.Members[0]['@odata.id']);
      assert.equal(found.CertificateString, samplePem);
      const { Oem } = await read(manager);
      assert.ok(
        Oem.BmcCertificateManager.CertificateCollections.some(
          (link: { '@odata.id': string }) => link['@odata.id'] === uriOf(endpoint),
        ),
      );
      const { Links } = await read(`${service}/CertificateLocations`);
      assert.ok(JSON.stringify(Links.Certificates).includes(`${uriOf(endpoint)}/`));
    }
    const https = await read(`${manager}/NetworkProtocol/HTTPS/Certificates`);
    assert.equal(https.Oem.BmcCertificates.Origin, 'Configuration');
  });

  it('come and go while the service runs', async () => {
    const paths = [uriOf(other), `${uriOf(other)}/1`, `${uriOf(other)}/1/RekeyActionInfo`];
    for (const path of paths) assert.equal((await world.ask('GET', path)).status, 404, path);
    world.client.ofRunTime = [group, one, other];
    world.client.put(other, '1', samplePem);
    for (const path of paths) assert.equal((await world.ask('GET', path)).status, 200, path);
    world.client.ofRunTime = [group, one];
    for (const path of paths) assert.equal((await world.ask('GET', path)).status, 404, path);
    assert.equal((await world.ask('POST', uriOf(other), { body: {} })).status, 404);
    assert.equal((await world.ask('DELETE', `${uriOf(other)}/1`)).status, 404);
  });

  it('are found at no place of another type or endpoint', async () => {
    const wrong = [
      `${manager}/CertificateEndpoints/client/${one.name}/Certificates`,
      `${manager}/CertificateEndpoints/server/${group.name}/Certificates`,
      `${manager}/CertificateEndpoints/server/https/Certificates`,
      `${manager}/CertificateEndpoints/authority/truststore/Certificates`,
      `${uriOf(one)}/2`,
    ];
    for (const path of wrong) assert.equal((await world.ask('GET', path)).status, 404, path);
  });

  it('are expanded, and have ETags that change with them', async () => {
    const expanded = await read(`${uriOf(group)}?$expand=.($levels=1)`);
    assert.equal(expanded.Members[0].CertificateString, samplePem);
    const before = (await world.ask('GET', uriOf(group))).headers.etag;
    const added = { body: { CertificateString: samplePem, CertificateType: 'PEM' } };
    assert.equal((await world.ask('POST', uriOf(group), added)).status, 201);
    assert.notEqual((await world.ask('GET', uriOf(group))).headers.etag, before);
  });

  it('are read and changed by administrators alone, as others', async () => {
    for (const as of ['reader:reader-pw', '']) {
      const expected = as === '' ? 401 : 403;
      for (const path of [uriOf(group), certificate])
        assert.equal((await world.ask('GET', path, { as })).status, expected);
      assert.equal((await world.ask('DELETE', certificate, { as })).status, expected);
    }
  });

  it('lose a CA that is deleted', async () => {
    assert.equal((await world.ask('DELETE', certificate)).status, 204);
    assert.equal((await world.ask('GET', certificate)).status, 404);
    const { Members } = await read(uriOf(group));
    assert.ok(!JSON.stringify(Members).includes(`"${certificate}"`));
  });

  it('are told of by events', () => {
    const { client } = world;
    const now = () => Date.now();
    const collections = world.parts.collections;
    const events = new CertificateEvents({ client, collections, now, expiryThresholds: [] });
    const published = { endpoint: group, ...client.get(group, '4') };
    const told = [
      ...events.toEvents({ kind: 'created', ...published }),
      ...events.toEvents({ kind: 'changed', ...published }),
      ...events.toEvents({ kind: 'removed', endpoint: group, id: '4' }),
      ...events.toEvents({ kind: 'removed', endpoint: other, id: '1' }),
    ];
    assert.deepEqual(
      told.map(({ messageId, origin }) => [messageId.split('.').at(-1), origin]),
      [
        ['ResourceCreated', certificate],
        ['ResourceChanged', certificate],
        ['ResourceRemoved', certificate],
      ],
    );
  });

  it('are replaced by ReplaceCertificate, and are named by GenerateCSR', async () => {
    const CertificateUri = { '@odata.id': `${uriOf(one)}/1` };
    const body = { CertificateString: samplePem, CertificateType: 'PEM', CertificateUri };
    const replace = `${service}/Actions/CertificateService.ReplaceCertificate`;
    assert.equal((await world.ask('POST', replace, { body })).status, 200);
    const CertificateCollection = { '@odata.id': uriOf(one) };
    const generate = `${service}/Actions/CertificateService.GenerateCSR`;
    const request = { CertificateCollection, CommonName: 'bmc', AlternativeNames: ['bmc'] };
    assert.equal((await world.ask('POST', generate, { body: request })).status, 200);
  });

  it('are not changed where the manager does not let the service, which says so', async () => {
    world.client.refusal = new CertError('access-denied', 'the user 1 may not do this');
    const body = { CertificateString: samplePem, CertificateType: 'PEM' };
    for (const [method, path, options] of [
      ['DELETE', certificate, {}],
      ['POST', uriOf(group), { body }],
      ['POST', uriOf(one), { body }],
    ] as const) {
      const { status, text } = await world.ask(method, path, options);
      assert.equal(status, 403, text);
      assert.match(text, /InsufficientPrivilege/);
      assert.match(text, /access-denied: the user 1 may not do this/);
    }
    assert.equal((await world.ask('GET', uriOf(one))).status, 200);
  });

  it('are away with the manager, and not taken for gone', async () => {
    world.client.away = true;
    for (const path of [uriOf(group), certificate, uriOf(other)])
      assert.equal((await world.ask('GET', path)).status, 503, path);
    assert.equal((await world.ask('GET', `${service}/CertificateLocations`)).status, 200);
  });
});
