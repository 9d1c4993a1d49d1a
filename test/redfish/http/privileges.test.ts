import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { RoleId } from '../../../src/identity/roles.ts';
import { type Method, permission } from '../../../src/redfish/http/privileges.ts';
import type { Resource } from '../../../src/redfish/resource.ts';
import { makeResources } from '../../../src/redfish/resources/index.ts';
import { endpoints, samplePem, startService, type TestService } from '../service.ts';

const methods: readonly Method[] = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
const users: readonly { readonly name: string; readonly role: RoleId }[] = [
  { name: 'admin', role: 'Administrator' },
  { name: 'operator', role: 'Operator' },
  { name: 'reader', role: 'ReadOnly' },
];

/** Every route of the tree, asked with every method by everybody. */
describe('who may do what', () => {
  let service: TestService;
  let tree: readonly Resource[];

  before(async () => {
    service = await startService();
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
    for (const endpoint of endpoints) service.client.put(endpoint, '1', samplePem);
    tree = makeResources(service.parts);
  });
  after(() => service.close());

  async function logIn(name: string): Promise<string> {
    const body = { UserName: name, Password: `${name}-pw` };
    const login = await service.ask('POST', '/redfish/v1/SessionService/Sessions', {
      as: '',
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    return String(login.headers['x-auth-token']);
  }

  /** The status of an answer; what comes after it, perhaps for ever, is not waited for. */
  const status = (method: string, path: string, token?: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = token === undefined ? {} : { 'X-Auth-Token': token };
      const options = { host: '127.0.0.1', port: service.port, method, path, headers };
      const asked = request(options, (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      asked.on('error', reject);
      asked.end();
    });

  /** A path that leads to the resource; ids are of things that are not there, but for certificates. */
  const pathOf = ({ path }: Resource) =>
    path
      .replace(':manager', 'bmc')
      .replace(/(Certificates\/):id/, '$11')
      .replace(/:\w+/g, 'absent');

  it('is asked of every route', () => {
    assert.ok(tree.length > 40, `${tree.length} routes`);
  });

  it('is nothing without a login, but for what DSP0266 wants open', async () => {
    const open: string[] = [];
    for (const resource of tree) {
      for (const method of methods) {
        const answer = await status(method, pathOf(resource));
        if (resource.operations[method]?.open) open.push(`${method} ${resource.path}`);
        else assert.equal(answer, 401, `${method} ${pathOf(resource)}`);
      }
    }
    assert.deepEqual(open.sort(), [
      'GET /redfish',
      'GET /redfish/v1',
      'GET /redfish/v1/$metadata',
      'GET /redfish/v1/odata',
      'POST /redfish/v1/SessionService/Sessions',
      'POST /redfish/v1/SessionService/Sessions/Members',
    ]);
  });

  for (const { name, role } of users) {
    it(`is what the privilege table says for ${role}`, async () => {
      // Not before: a session that is not used ends after a minute
      const token = await logIn(name);
      for (const resource of tree) {
        for (const method of methods) {
          const operation = resource.operations[method];
          if (operation?.open) continue;
          const answer = await status(method, pathOf(resource), token);
          const what = `${method} ${pathOf(resource)} answered ${answer}`;
          const allowed = permission(role, resource.entity, method);
          if (!operation) assert.equal(answer, 405, what);
          else if (allowed === 'none') assert.equal(answer, 403, what);
          // Nothing here belongs to anybody
          else if (allowed === 'own') assert.ok([403, 404].includes(answer), what);
          // The old REST service answers 405 to DELETE of what is not there
          else if (method === 'DELETE' && answer === 405) assert.match(what, /\/xyz\//);
          else assert.ok(![401, 403, 405, 500].includes(answer), what);
        }
      }
    });
  }
});
