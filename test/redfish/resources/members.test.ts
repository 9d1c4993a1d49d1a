import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { makeResources } from '../../../src/redfish/resources/index.ts';
import { endpoints, samplePem, startService, type TestService } from '../service.ts';

const root = '/redfish/v1';
const policy = `${root}/Managers/bmc/SecurityPolicy`;

describe('what resources say', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
  });
  after(() => service.close());

  const read = async (path: string, as?: string) => {
    const { status, text } = await service.ask('GET', path, as ? { as } : {});
    assert.equal(status, 200, text);
    return JSON.parse(text);
  };

  for (const name of ['operator', 'reader']) {
    it(`leads ${name} to no collection of certificates of TLS that he may not read`, async () => {
      const { TLS } = await read(policy, `${name}:${name}-pw`);
      assert.doesNotMatch(JSON.stringify(TLS), /Certificates"/);
      assert.ok(TLS.Server.Allowed && TLS.Client.Allowed);
      const manager = await read(`${root}/Managers/bmc`, `${name}:${name}-pw`);
      assert.ok(manager.Oem.OpenBmc.Certificates);
      const { MultiFactorAuth } = await read(`${root}/AccountService`, `${name}:${name}-pw`);
      assert.ok(MultiFactorAuth.ClientCertificate.Certificates);
    });
  }

  it('leads an administrator there', async () => {
    const { TLS } = await read(policy);
    assert.ok(TLS.Server.TrustedCertificates && TLS.Server.RevokedCertificates);
    assert.ok(TLS.Client.TrustedCertificates);
  });

  const members: readonly [string, string, unknown][] = [
    ['AccountService', 'LocalAccountAuth', 'Enabled'],
    ['Managers/bmc/SecurityPolicy', 'Status', { State: 'Enabled', Health: 'OK' }],
    ['Managers/bmc', 'Links', {}],
    ['Managers/bmc/NetworkProtocol', 'HTTP', { ProtocolEnabled: false }],
    ['Managers/bmc/NetworkProtocol', 'FQDN', undefined],
    ['', 'Product', 'bmc-certificate-manager'],
  ];
  for (const [path, name, value] of members) {
    it(`tells ${name} of /${path}`, async () => {
      assert.deepEqual((await read(`${root}/${path}`))[name], value);
    });
  }

  it('describes the service root', async () => {
    assert.match((await read(root)).Description, /BMC/);
  });
});

describe('what a service says of its own', () => {
  let service: TestService;
  let now = Date.parse('2030-01-01T00:00:00Z');

  before(async () => {
    const [syslog, front] = [
      { type: 'client', name: 'syslog' },
      { type: 'server', name: 'front' },
    ] as const;
    const collections = collectionsOf('bmc', [...endpoints, syslog, front]);
    const hostName = () => 'bmc-1.lab.example.com';
    const parts = {
      hostName,
      collections: () => collections,
      now: () => now,
      servedEndpoint: 'front',
    };
    service = await startService({ parts });
  });
  after(() => service.close());

  it('is its full name where the host name has a domain, apart from the host name', async () => {
    const { text } = await service.ask('GET', `${root}/Managers/bmc/NetworkProtocol`);
    const { FQDN, HostName } = JSON.parse(text);
    assert.deepEqual({ FQDN, HostName }, { FQDN: 'bmc-1.lab.example.com', HostName: 'bmc-1' });
  });

  it('is the collection of the endpoint that it serves with, whatever it is called', async () => {
    const { text } = await service.ask('GET', `${root}/Managers/bmc/NetworkProtocol`);
    const collection = JSON.parse(text).HTTPS.Certificates['@odata.id'];
    assert.match(collection, /front/);
    assert.equal((await service.ask('GET', collection)).status, 200);
  });

  it('is the time of tasks, which changes no ETag', async () => {
    const first = await service.ask('GET', `${root}/TaskService`);
    assert.equal(JSON.parse(first.text).DateTime, '2030-01-01T00:00:00+00:00');
    now += 1000;
    const second = await service.ask('GET', `${root}/TaskService`);
    assert.equal(JSON.parse(second.text).DateTime, '2030-01-01T00:00:01+00:00');
    assert.equal(second.headers.etag, first.headers.etag);
  });

  it('is where the collections of other endpoints are, for who may read them', async () => {
    for (const [as, sees] of [
      ['admin:admin-pw', true],
      ['reader:reader-pw', false],
    ] as const) {
      const { text } = await service.ask('GET', `${root}/Managers/bmc`, { as });
      assert.equal(JSON.parse(text).Oem.BmcCertificateManager !== undefined, sees);
    }
  });

  for (const names of [[], ['https', 'revoked'], ['ldap', 'truststore']]) {
    it(`leads nowhere that is not there with ${names.join() || 'no'} endpoints`, async () => {
      const few = endpoints.filter(({ name }) => names.some((one) => one === name));
      const collections = collectionsOf('bmc', few);
      const small = await startService({ parts: { collections: () => collections } });
      try {
        const seen = await walk(small);
        const { AccountService } = JSON.parse((await small.ask('GET', root)).text);
        assert.ok(seen.has(AccountService['@odata.id']) && seen.size > 20);
        for (const { uri } of collections) assert.ok(seen.has(uri), uri);
      } finally {
        await small.close();
      }
    });
  }
});

describe('the service root', () => {
  const withoutLink: readonly string[] = [
    // A client knows them from DSP0266 and $metadata, or as ServerSentEventUri
    ...[`${root}/odata`, `${root}/$metadata`, `${root}/EventService/SSE`],
    `${root}/schemas/BmcCertificates_v1.xml`,
    // There are none yet, and a task tells where its monitor is
    ...[`${root}/EventService/Subscriptions/:id`, `${root}/TaskService/Tasks/:id`],
    ...[`${root}/TaskService/TaskMonitors/:id`],
    `${root}/AccountService/Accounts/:name/Certificates/:id`,
  ];

  it('leads by links to every resource of the service', async () => {
    const service = await startService();
    try {
      const ofRunTime = (['server', 'client', 'authority'] as const).map((type) => {
        return { type, name: 'gnoi-1.a' };
      });
      service.client.ofRunTime = ofRunTime;
      for (const endpoint of [...endpoints, ...ofRunTime])
        service.client.put(endpoint, '1', samplePem);
      const seen = [...(await walk(service))];
      const unlinked = makeResources(service.parts)
        .filter(({ path, operations }) => path.startsWith(`${root}/`) && operations.GET)
        .map(({ path }) => path)
        .filter((path) => {
          const pattern = new RegExp(`^${path.replace('$', '\\$').replace(/:\w+/g, '[^/]+')}$`);
          return !withoutLink.includes(path) && !seen.some((one) => pattern.test(one));
        });
      assert.ok(unlinked.length === 0, `no resource has a link to ${unlinked.join()}`);
    } finally {
      await service.close();
    }
  });
});

/** @returns the path of every resource that links lead to, each of which is there */
async function walk(service: TestService): Promise<ReadonlySet<string>> {
  // Its password would be checked with each request
  const { token } = service.sessions.create({ userName: 'admin', address: '' });
  const headers = { 'X-Auth-Token': token };
  const left = [root];
  const seen = new Set<string>();
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const { status, text } = await service.ask('GET', path, { headers, as: '' });
    assert.equal(status, 200, path);
    const links = [
      ...text.matchAll(/"(?:@odata\.id|@Redfish\.ActionInfo|Uri)": "(\/[^"#]*)["#]/g),
    ].map(([, one = '']) => one);
    left.push(...links);
  }
  return seen;
}
