import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { collections, type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, skipUninstalled } from './programs.ts';

describe('clients in Python', { skip: skipUninstalled }, () => {
  let filled: FilledStack;

  before(async () => {
    filled = await startFilledStack();
  });

  after(() => filled?.close());

  async function redfishtool(...args: string[]) {
    const { url, password } = filled.stack;
    const host = new URL(url).host;
    const login = ['-r', host, '-u', 'admin', '-p', password, '-S', 'Always'];
    const { status, stdout, stderr } = await runProgram('redfishtool', [...login, ...args]);
    return { status, output: stdout + stderr };
  }

  for (const login of ['Basic', 'Session']) {
    const reads = [
      [['root'], '#ServiceRoot.'],
      [['Managers', '-1'], '#Manager.'],
      [['SessionService'], '#SessionService.'],
      [['AccountService'], '#AccountService.'],
      [['raw', 'GET', `${collections.https}/1`], 'BEGIN CERTIFICATE'],
    ] as const;
    for (const [args, expected] of reads) {
      it(`lets redfishtool read ${args.join(' ')} after a login with ${login}`, async () => {
        const { status, output } = await redfishtool('-A', login, ...args);
        assert.equal(status, 0, output);
        assert.ok(output.includes(expected), output);
      });
    }
  }

  it('lets redfishtool add an authority and delete it', async () => {
    const body = JSON.stringify({
      CertificateString: filled.authority.pem,
      CertificateType: 'PEM',
    });
    const member = `${collections.truststore}/1`;
    const deleted = await redfishtool('raw', 'DELETE', member);
    assert.equal(deleted.status, 0, deleted.output);
    const gone = await redfishtool('raw', 'GET', member);
    assert.notEqual(gone.status, 0, gone.output);
    const added = await redfishtool('raw', 'POST', collections.truststore, '-d', body);
    assert.equal(added.status, 0, added.output);
    const list = await redfishtool('raw', 'GET', collections.truststore);
    assert.match(list.output, /"Members@odata\.count": ?1/);
  });

  for (const login of ['BASIC', 'SESSION']) {
    it(`lets python-redfish-library log in with ${login}, read, and log out`, async () => {
      const { status, stdout, stderr } = await runProgram('python', [
        ...['-c', library, filled.stack.url, filled.stack.password, login.toLowerCase()],
      ]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), {
        service: 200,
        type: '#CertificateService.v1_2_2.CertificateService',
        certificate: 200,
      });
    });
  }

  it('makes python-redfish-library say that the password is wrong', async () => {
    const args = ['-c', library, filled.stack.url, 'wrong', 'session'];
    const { status, stderr } = await runProgram('python', args);
    assert.equal(status, 1);
    assert.match(stderr, /InvalidCredentialsError/);
  });

  it('lets sushy find every certificate, replace one, and log out', async () => {
    const leaf = await filled.authority.issue('sushy.example', ['-newkey', 'ec', ...p256]);
    const { url, password } = filled.stack;
    const { status, stdout, stderr } = await runProgram('python', [
      ...['-c', sushy, url, password, `${leaf.key}${leaf.pem}`],
    ]);
    assert.equal(status, 0, stderr);
    const { found, manager, names } = JSON.parse(stdout);
    for (const collection of Object.values(collections)) {
      const isThere = found.some((uri: string) => uri.startsWith(`${collection}/`));
      assert.ok(isThere, `${collection}: ${stdout}`);
    }
    assert.equal(manager, '/redfish/v1/Managers/bmc');
    assert.deepEqual(names, ['ldap.example', 'sushy.example']);
  });
});

const p256 = ['-pkeyopt', 'ec_paramgen_curve:P-256'];

const sushy = `
import json, sys
from sushy import CertificateType, Sushy, auth
from sushy.resources.certificateservice.certificate import Certificate
url, password, pem = sys.argv[1:]
root = Sushy(url, auth=auth.SessionAuth('admin', password), verify=False)
service = root.get_certificate_service()
found = [one.path for one in service.certificate_locations.get_members()]
place = '${collections.ldap}/1'
read = lambda: Certificate(root._conn, place, redfish_version=root.redfish_version).subject.common_name
before = read()
service.replace_certificate(place, pem, CertificateType.PEM)
manager = root.get_manager_collection().get_members()[0]
print(json.dumps({'found': found, 'manager': manager.path, 'names': [before, read()]}))
root._auth.close()
`;

const library = `
import json, sys, redfish
url, password, auth = sys.argv[1:]
client = redfish.redfish_client(base_url=url, username='admin', password=password)
client.login(auth=auth)
service = client.get('/redfish/v1/CertificateService')
certificate = client.get('${collections.https}/1')
print(json.dumps({
    'service': service.status,
    'type': service.dict['@odata.type'],
    'certificate': certificate.status,
}))
client.logout()
`;
