import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { samplePem, startService, type TestService } from '../service.ts';

const roles = '/redfish/v1/AccountService/Roles';

describe('the routes', () => {
  let service: TestService;
  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  const found = [roles, `${roles}/`, `${roles}/Administrator`, `${roles}/Administrator/`];
  for (const path of found) {
    it(`lead to ${path}`, async () => {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await service.ask(method, path);
        assert.deepEqual([status, headers.allow], [200, 'GET, HEAD'], method);
      }
    });
  }

  it('take an id in any of its spellings', async () => {
    assert.equal((await service.ask('GET', `${roles}/%41dministrator`)).status, 200);
  });

  const missing = [
    '/redfish/v1/accountservice/Roles',
    '/REDFISH/v1',
    `${roles}//`,
    `${roles}//Administrator`,
    '/redfish/v1/%41ccountService/Roles',
    ...['%', '%zz', '%ff', '%2F', '%5c', '%00', '%0a', '%7f', '.', '%2e%2e'].map(
      (id) => `${roles}/${id}`,
    ),
  ];
  for (const path of missing) {
    it(`lead nowhere from ${path}`, async () => {
      const { status, headers, text } = await service.ask('GET', path);
      assert.deepEqual([status, headers.allow], [404, undefined]);
      assert.match(text, /ResourceMissingAtURI/);
      assert.equal((await service.ask('GET', path, { as: '' })).status, 401);
    });
  }

  it('take a certificate at the URI of the Members of its collection too', async () => {
    const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
    const headers = { 'Content-Type': 'application/x-pem-file' };
    const made = await service.ask('POST', `${truststore}/Members`, { headers, body: samplePem });
    assert.deepEqual([made.status, made.headers.location], [201, `${truststore}/1`]);
    const { status, headers: shown } = await service.ask('GET', `${truststore}/Members`);
    assert.deepEqual([status, shown.allow], [405, 'POST']);
  });

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
    it(`say which methods there are in place of ${method}`, async () => {
      const { status, headers } = await service.ask(method, roles);
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
    });
  }
});
