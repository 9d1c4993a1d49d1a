import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { samplePem, startService, type TestService } from '../service.ts';

const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const managers = '/redfish/v1/Managers';

describe('query parameters', () => {
  let service: TestService;

  before(async () => {
    service = await startService();
    for (const id of ['1', '2', '3']) {
      service.client.put({ type: 'authority', name: 'truststore' }, id, samplePem);
    }
  });

  after(() => service.close());

  async function get(path: string, as?: string) {
    const { status, text, headers } = await service.ask(
      'GET',
      path,
      as === undefined ? {} : { as },
    );
    return { status, headers, text, body: JSON.parse(text) };
  }

  const refused = [
    { query: '?$nonsense', status: 501, message: 'QueryNotSupported' },
    { query: '?$orderby=Name', status: 501, message: 'QueryNotSupported' },
    { query: '?$top=x', status: 400, message: 'QueryParameterValueTypeError' },
    { query: '?$top=-1', status: 400, message: 'QueryParameterOutOfRange' },
    { query: '?$skip=1&$skip=2', status: 400, message: 'QueryCombinationInvalid' },
    { query: '?only=x', status: 400, message: 'QueryParameterValueFormatError' },
    { query: '?only&$top=1', status: 400, message: 'QueryCombinationInvalid' },
    { query: '?$expand=x', status: 400, message: 'QueryParameterValueFormatError' },
    { query: '?$expand=*($levels=4)', status: 400, message: 'QueryParameterOutOfRange' },
    { query: '?$expand=*($levels=0)', status: 400, message: 'QueryParameterOutOfRange' },
    { query: '?$select=', status: 400, message: 'QueryParameterValueFormatError' },
    { query: '?$select=a,b,c,d,e,f', status: 400, message: 'QueryParameterOutOfRange' },
    { query: '?$filter=Id', status: 400, message: 'QueryParameterValueFormatError' },
    {
      query: '?$filter=((((Id%20eq%201))))',
      status: 400,
      message: 'QueryParameterValueFormatError',
    },
    { query: `?$filter=${'x'.repeat(201)}`, status: 400, message: 'QueryParameterOutOfRange' },
  ];
  for (const { query, status, message } of refused) {
    it(`refuses ${query.slice(0, 50)} with ${message}`, async () => {
      const answer = await get(`${truststore}${query}`);
      assert.equal(answer.status, status);
      assert.equal(answer.body.error.code, `Base.1.19.${message}`);
    });
  }

  for (const query of ['?rpvunknown', '?excerpt', '?a=1&b']) {
    it(`ignores ${query}`, async () => {
      assert.equal((await get(`${truststore}${query}`)).body['Members@odata.count'], 3);
    });
  }

  it('shows a part of a collection and counts all of it', async () => {
    const { body } = await get(`${truststore}?$skip=1&$top=1`);
    assert.deepEqual(body.Members, [{ '@odata.id': `${truststore}/2` }]);
    assert.equal(body['Members@odata.count'], 3);
    assert.equal(body['Members@odata.nextLink'], undefined);
  });

  for (const query of ['$top=1', '$skip=1', 'only', "$filter=Id%20eq%20'1'"]) {
    it(`has no ${query} on what is no collection`, async () => {
      const { status, text } = await get(`/redfish/v1?${query}`);
      assert.equal(status, 400);
      assert.match(text, /QueryNotSupportedOnResource/);
    });
  }

  it('filters by members of the members', async () => {
    const { body } = await get(`${truststore}?$filter=Id%20ge%20'2'%20and%20Id%20ne%20'3'`);
    assert.deepEqual(body.Members, [{ '@odata.id': `${truststore}/2` }]);
    assert.equal(body['Members@odata.count'], 1);
  });

  it('answers only with the one member, and with the collection when there are more', async () => {
    assert.equal((await get(`${managers}?only`)).body['@odata.id'], `${managers}/bmc`);
    assert.equal((await get(`${truststore}?only`)).body['@odata.id'], truststore);
  });

  it('selects members at any depth and keeps the annotations', async () => {
    const { body } = await get(`${truststore}/1?$select=Id,Subject/CommonName`);
    assert.deepEqual(Object.keys(body).sort(), [
      '@odata.etag',
      '@odata.id',
      '@odata.type',
      'Id',
      'Subject',
    ]);
    assert.deepEqual(Object.keys(body.Subject), ['CommonName']);
  });

  it('expands links below a resource as deep as asked, and selects from what it expanded', async () => {
    const one = (await get(`${managers}?$expand=.`)).body.Members[0];
    assert.equal(one.Id, 'bmc');
    assert.deepEqual(Object.keys(one.NetworkProtocol), ['@odata.id']);
    const two = (await get(`${managers}?$expand=.($levels=2)`)).body.Members[0];
    assert.equal(two.NetworkProtocol.Id, 'NetworkProtocol');
    const { body } = await get(`${truststore}?$expand=*&$select=Members/Id`);
    assert.deepEqual(
      body.Members.map(({ Id }: { Id: string }) => Id),
      ['1', '2', '3'],
    );
    assert.equal(body.Members[0].CertificateString, undefined);
  });

  it('tells dependent links from subordinate ones', async () => {
    const { Links, Managers } = (await get('/redfish/v1?$expand=~')).body;
    assert.equal(Links.ManagerProvidingService.Id, 'bmc');
    assert.deepEqual(Object.keys(Managers), ['@odata.id']);
  });

  it('leaves links that the client may not read', async () => {
    const path = `${managers}/bmc/NetworkProtocol?$expand=*`;
    const deep = `${managers}?$expand=*($levels=3)`;
    const reader = await get(deep, 'reader:reader-pw');
    assert.equal(reader.status, 200);
    assert.match(reader.text, /ManagerNetworkProtocol\.v/);
    assert.doesNotMatch(reader.text, /#CertificateCollection|CertificateString/);
    assert.match((await get(deep)).text, /#CertificateCollection/);
    assert.ok((await get(path)).body.HTTPS.Certificates['@odata.type']);
    const nobody = (await get('/redfish/v1?$expand=*', '')).body;
    assert.deepEqual(Object.keys(nobody.Managers), ['@odata.id']);
    assert.deepEqual(Object.keys(nobody.SessionService), ['@odata.id']);
  });

  it('gives up with 507 when more is asked for than it wants to read', async () => {
    assert.equal((await get('/redfish/v1?$expand=*($levels=3)')).status, 507);
  });

  it('has no query on a change', async () => {
    const { status, text } = await service.ask('DELETE', `${truststore}/3?$top=1`);
    assert.equal(status, 400);
    assert.match(text, /QueryNotSupportedOnOperation/);
    assert.equal((await service.ask('GET', `${truststore}/3`)).status, 200);
  });

  it('gives an expanded answer an ETag that follows what it holds', async () => {
    const path = `${truststore}?$expand=*`;
    const before = (await get(path)).headers.etag;
    assert.equal((await get(path)).headers.etag, before);
    assert.notEqual((await get(truststore)).headers.etag, before);
    service.client.put({ type: 'authority', name: 'truststore' }, '4', samplePem);
    assert.notEqual((await get(path)).headers.etag, before);
  });

  it('gives what holds a clock the same ETag at any time', async () => {
    const first = await service.ask('GET', `${managers}?$expand=*`);
    const again = await service.ask('GET', `${managers}?$expand=*`);
    assert.equal(first.headers.etag, again.headers.etag);
  });
});
