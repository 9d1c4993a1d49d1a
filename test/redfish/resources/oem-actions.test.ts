import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { endpoints, samplePem, startService, type TestService } from '../service.ts';

const service = '/redfish/v1/CertificateService';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const revoked = '/redfish/v1/Managers/bmc/SecurityPolicy/TLS/Server/RevokedCertificates';
const replaceAll = `${truststore}/Actions/Oem/BmcCertificates.ReplaceAll`;
const at = (uri: string) => ({ '@odata.id': uri });
const target = (name: string) => `${service}/Actions/Oem/BmcCertificates.${name}`;
const [server, , authority] = endpoints;
const id = 'ab'.repeat(32);

/** A body that each action takes, in the order in which they can be asked for. */
const bodies: Readonly<Record<string, object>> = {
  Stage: { CertificateUri: at(`${https}/1`), CertificateString: samplePem },
  Activate: { Replacement: 'f00d' },
  Commit: { Replacement: 'f00d' },
  Rollback: { Replacement: 'f00d' },
  DiscardRequest: { Id: id, Certificates: at(https) },
  Reload: { Certificates: at(https) },
};

let running: TestService;
beforeEach(async () => {
  running = await startService();
  running.client.put(server, '1', samplePem);
});
afterEach(() => running.close());

const post = (uri: string, body: object, as?: string) =>
  running.ask('POST', uri, {
    body,
    headers: { 'Content-Type': 'application/json' },
    ...(as !== undefined && { as }),
  });
const act = (name: string, body = bodies[name] ?? {}) => post(target(name), body);
const read = async (uri: string) => {
  const { status, text } = await running.ask('GET', uri);
  assert.equal(status, 200, text);
  return JSON.parse(text);
};

describe('the actions of our own', () => {
  it('stage, activate and commit what is submitted for a certificate', async () => {
    const staged = await act('Stage', { ...bodies.Stage, Seconds: 60 });
    assert.equal(staged.status, 200, staged.text);
    const Deadline = '2030-01-02T03:04:05+00:00';
    assert.deepEqual(JSON.parse(staged.text), { Replacement: 'f00d', State: 'Staged', Deadline });
    const shown = (await read(https)).Oem.BmcCertificates.Replacement;
    assert.deepEqual(shown, { Replacement: 'f00d', State: 'Staged', Deadline });
    const active = await act('Activate', { Replacement: 'f00d', Seconds: 30 });
    assert.equal(active.status, 200, active.text);
    assert.equal(JSON.parse(active.text).State, 'Active');
    assert.equal((await act('Commit')).status, 204);
    assert.deepEqual(running.administration.calls, [
      'stage https 60',
      'activate https 30 f00d',
      'commit https f00d',
    ]);
    const { Replacement } = (await read(https)).Oem.BmcCertificates;
    assert.deepEqual(Replacement, { Replacement: null, State: 'None', Deadline: null });
  });

  it('stage authorities together with it, which the truststore tells too', async () => {
    const body = { ...bodies.Stage, AuthoritiesString: samplePem };
    assert.equal((await act('Stage', body)).status, 200);
    const { truststore: other } = running.administration.staged ?? {};
    assert.deepEqual(other?.endpoint, { type: 'authority', name: 'truststore' });
    assert.equal(other?.bundle.bytes.toString(), samplePem);
    assert.equal((await read(truststore)).Oem.BmcCertificates.Replacement.State, 'Staged');
    assert.equal((await read(ldap)).Oem.BmcCertificates.Replacement.State, 'None');
    assert.equal((await act('Rollback')).status, 204);
  });

  it('stage for a collection, and authorities for the one that is named', async () => {
    const body = { Certificates: at(ldap), CertificateString: samplePem };
    const others = { AuthoritiesString: samplePem, Authorities: at(revoked) };
    assert.equal((await act('Stage', { ...body, ...others })).status, 200);
    const { staged } = running.administration;
    assert.equal(staged?.endpoint.name, 'ldap');
    assert.equal(staged?.truststore?.endpoint.name, 'revoked');
  });

  it('give up a request, and tell services once more', async () => {
    assert.equal((await act('DiscardRequest')).status, 204);
    assert.equal((await act('Reload')).status, 204);
    assert.deepEqual(running.administration.calls, [`discard https ${id}`, 'reload https']);
  });

  it('are listed in Actions.Oem of the service, and described where there is a choice', async () => {
    const { Oem } = (await read(service)).Actions;
    assert.deepEqual(
      Object.keys(Oem),
      Object.keys(bodies).map((name) => `#BmcCertificates.${name}`),
    );
    for (const uri of [`${service}/StageActionInfo`, `${service}/ReplaceAllActionInfo`]) {
      const { Parameters } = await read(uri);
      const names = Parameters.map(({ Name }: { Name: string }) => Name);
      assert.ok(names.includes('CertificateString') && names.includes('Password'));
    }
  });

  it('are lines of the audit, without what was submitted', async () => {
    await act('Stage', { ...bodies.Stage, Password: 'secret-pw' });
    const line = running.audit.join('\n');
    assert.match(line, /BmcCertificates\.Stage/);
    assert.match(line, /CertificateString/);
    assert.doesNotMatch(line + running.log.join(), /secret-pw|BEGIN/);
  });

  it('are for who may configure the manager', async () => {
    for (const uri of [...Object.keys(bodies).map(target), replaceAll]) {
      assert.equal((await post(uri, {}, 'reader:reader-pw')).status, 403, uri);
      assert.equal((await post(uri, {}, '')).status, 401, uri);
    }
    assert.deepEqual(running.administration.calls, []);
  });
});

const refused: readonly {
  readonly what: string;
  readonly name: string;
  readonly body: object;
  readonly status: number;
  readonly says: RegExp;
}[] = [
  {
    what: 'no certificate',
    name: 'Stage',
    body: { CertificateUri: at(`${https}/1`) },
    status: 400,
    says: /ActionParameterMissing/,
  },
  {
    what: 'no place',
    name: 'Stage',
    body: { CertificateString: 'x' },
    status: 400,
    says: /ActionParameterMissing[\s\S]*CertificateUri/,
  },
  {
    what: 'two places',
    name: 'Stage',
    body: { ...bodies.Stage, Certificates: at(https) },
    status: 400,
    says: /ActionParameterNotSupported/,
  },
  {
    what: 'a certificate that is not there',
    name: 'Stage',
    body: { CertificateUri: at(`${https}/2`), CertificateString: 'x' },
    status: 404,
    says: /ResourceNotFound/,
  },
  {
    what: 'one certificate of a truststore',
    name: 'Stage',
    body: { CertificateUri: at(`${truststore}/1`), CertificateString: 'x' },
    status: 400,
    says: /replaced as a whole/,
  },
  {
    what: 'authorities for a server',
    name: 'Stage',
    body: { ...bodies.Stage, AuthoritiesString: 'x', Authorities: at(ldap) },
    status: 400,
    says: /no collection of authorities/,
  },
  {
    what: 'another type',
    name: 'Stage',
    body: { ...bodies.Stage, CertificateType: 'DER' },
    status: 400,
    says: /ActionParameterValueNotInList/,
  },
  {
    what: 'no number',
    name: 'Stage',
    body: { ...bodies.Stage, Seconds: 'x' },
    status: 400,
    says: /ActionParameterValueTypeError/,
  },
  {
    what: 'another name',
    name: 'Activate',
    body: { Replacement: 'none' },
    status: 404,
    says: /of type Replacement named 'none'/,
  },
  {
    what: 'another name',
    name: 'Commit',
    body: { Replacement: 'none' },
    status: 404,
    says: /ResourceNotFound/,
  },
  {
    what: 'another name',
    name: 'Rollback',
    body: { Replacement: 'none' },
    status: 404,
    says: /ResourceNotFound/,
  },
  {
    what: 'no hash',
    name: 'DiscardRequest',
    body: { Id: '../x', Certificates: at(https) },
    status: 400,
    says: /ActionParameterValueError/,
  },
  {
    what: 'no collection',
    name: 'Reload',
    body: { Certificates: at('/redfish/v1/Managers') },
    status: 400,
    says: /no collection of this service/,
  },
  {
    what: 'an unknown member',
    name: 'Reload',
    body: { ...bodies.Reload, Foo: 1 },
    status: 400,
    says: /ActionParameterUnknown/,
  },
];

describe('an action of our own', () => {
  for (const { what, name, body, status, says } of refused) {
    it(`answers ${status} to ${name} with ${what}`, async () => {
      const answer = await act(name, body);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, says);
      assert.deepEqual(running.administration.calls, []);
    });
  }

  it('answers 409 to what a replacement cannot do in its state', async () => {
    await act('Stage');
    const early = await act('Commit');
    assert.equal(early.status, 409, early.text);
    assert.match(early.text, /the replacement is Staged, and not Active/);
    await act('Activate');
    assert.equal((await act('Activate')).status, 409);
  });

  const codes = [
    ['replacement-in-progress', 503],
    ['key-mismatch', 400],
    ['not-found', 404],
    ['access-denied', 403],
  ] as const;
  for (const [code, status] of codes) {
    it(`answers ${status} to what the manager refuses as ${code}`, async () => {
      await act('Stage');
      running.client.refusal = new CertError(code, 'no');
      for (const name of ['Stage', 'Activate', 'DiscardRequest']) {
        const answer = await act(name);
        assert.equal(answer.status, status, answer.text);
        assert.match(answer.text, new RegExp(`${code}: no`));
      }
    });
  }
});

describe('what a collection tells of its endpoint', () => {
  it('is its requests and its services', async () => {
    const created = new Date('2026-01-02T03:04:05Z');
    running.client.waiting = [{ id, pem: 'the request', created }];
    running.administration.told = [
      { service: 'a.service', outcome: 'Failed', reason: 'no', at: created, attempts: 3 },
      { service: 'b.service', outcome: 'Never', reason: '', at: undefined, attempts: 0 },
    ];
    const { Requests, Services } = (await read(https)).Oem.BmcCertificates;
    const Created = '2026-01-02T03:04:05+00:00';
    assert.deepEqual(Requests, [{ Id: id, Created, CSRString: 'the request' }]);
    assert.deepEqual(Services, [
      { Service: 'a.service', Outcome: 'Failed', Reason: 'no', Time: Created, Attempts: 3 },
      { Service: 'b.service', Outcome: 'Never', Reason: '', Time: null, Attempts: 0 },
    ]);
    assert.deepEqual((await read(truststore)).Oem.BmcCertificates.Requests, []);
  });

  it('leaves out requests that cannot be read, and lists the certificates', async () => {
    running.client.outstanding = async () => {
      throw new CertError('no-answer', 'the manager did not answer in time');
    };
    const { Members, Oem } = await read(https);
    assert.equal(Members.length, 1);
    assert.equal('Requests' in Oem.BmcCertificates, false);
    assert.equal(Oem.BmcCertificates.Replacement.State, 'None');
  });
});

describe('ReplaceAll of a truststore', () => {
  const other = generateCertificate(
    { hostName: 'other', addresses: [] },
    { validDays: 10, renewBeforeDays: 1, curve: 'prime256v1', organization: 'Test' },
    Date.now(),
  ).leaf.pem;

  it('puts the bundle in the place of all, and answers with the members', async () => {
    running.client.put(authority, '1', samplePem);
    const { Actions } = (await read(truststore)).Oem.BmcCertificates;
    const { target: uri } = Actions.Oem['#BmcCertificates.ReplaceAll'];
    assert.equal(uri, replaceAll);
    const answer = await post(uri, { CertificateString: other });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(JSON.parse(answer.text), await read(truststore));
    assert.deepEqual(
      running.client.list(authority).map(({ certificate }) => certificate.pem),
      [other],
    );
  });

  it('is there at each address of a truststore, and at no other collection', async () => {
    const { text } = await running.ask('GET', https);
    assert.doesNotMatch(text, /ReplaceAll/);
    const body = { CertificateString: other };
    const path = (uri: string) => `${uri}/Actions/Oem/BmcCertificates.ReplaceAll`;
    assert.equal((await post(path(https), body)).status, 404);
    assert.equal((await post(path(revoked), body)).status, 200);
    const alias = '/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates';
    assert.equal((await post(path(alias), body)).status, 200);
  });
});

describe("over upstream's manager", () => {
  beforeEach(() => {
    running.administration.isOffered = false;
  });

  it('the actions are not shown, and answer 501', async () => {
    assert.equal('Oem' in (await read(service)).Actions, false);
    for (const uri of [https, truststore]) assert.equal('Oem' in (await read(uri)), false);
    for (const name of Object.keys(bodies)) {
      const answer = await act(name);
      assert.equal(answer.status, 501, name);
      assert.match(answer.text, /ActionNotSupported/);
      assert.match(answer.text, /unsupported: the certificate manager of this device/);
    }
    assert.equal((await post(replaceAll, { CertificateString: samplePem })).status, 501);
    assert.equal((await running.ask('GET', `${service}/StageActionInfo`)).status, 404);
    assert.deepEqual(running.administration.calls, []);
  });

  it('answer 503 while no manager can say so', async () => {
    running.client.away = true;
    for (const name of Object.keys(bodies)) assert.equal((await act(name)).status, 503, name);
    const all = await post(replaceAll, { CertificateString: samplePem });
    assert.equal(all.status, 503);
    assert.equal((await running.ask('GET', service)).status, 200);
  });
});
