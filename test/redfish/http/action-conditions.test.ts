import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { pemContent } from '../../../src/x509/containers.ts';
import { endpoints, samplePem, startService, type TestService } from '../service.ts';

const certificate = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1';
const certificateService = '/redfish/v1/CertificateService';
const eventService = '/redfish/v1/EventService';
const [server] = endpoints;

/** Every action of the service, by the resource in whose `Actions` it stands. */
const listed: Readonly<Record<string, readonly string[]>> = {
  [certificateService]: [
    'CertificateService.GenerateCSR',
    'CertificateService.ReplaceCertificate',
    'BmcCertificates.Stage',
    'BmcCertificates.Activate',
    'BmcCertificates.Commit',
    'BmcCertificates.Rollback',
    'BmcCertificates.DiscardRequest',
    'BmcCertificates.Reload',
  ],
  [certificate]: ['Certificate.Rekey', 'Certificate.Renew'],
  [eventService]: ['EventService.SubmitTestEvent', 'EventService.TestEventSubscription'],
  [`${eventService}/Subscriptions/:id`]: [
    'EventDestination.SuspendSubscription',
    'EventDestination.ResumeSubscription',
  ],
};

interface Listing {
  readonly Actions: Readonly<Record<string, { readonly target: string }>> & {
    readonly Oem?: Readonly<Record<string, { readonly target: string }>>;
  };
}

const bodies: Readonly<Record<string, object>> = {
  'CertificateService.GenerateCSR': {
    CommonName: 'bmc',
    CertificateCollection: certificate.replace(/\/1$/, ''),
  },
  'CertificateService.ReplaceCertificate': {
    ...{ CertificateString: samplePem, CertificateType: 'PEM', CertificateUri: certificate },
  },
  'BmcCertificates.Stage': { CertificateString: samplePem, CertificateUri: certificate },
  'BmcCertificates.Activate': { Replacement: 'f00d' },
  'BmcCertificates.Commit': { Replacement: 'f00d' },
  'BmcCertificates.Rollback': { Replacement: 'f00d' },
  'BmcCertificates.DiscardRequest': {
    ...{ Id: 'ab'.repeat(32), Certificates: certificate.replace(/\/1$/, '') },
  },
  'BmcCertificates.Reload': { Certificates: certificate.replace(/\/1$/, '') },
  'EventService.SubmitTestEvent': { MessageId: 'ResourceEvent.1.3.ResourceChanged' },
};

describe('the conditions of an action', () => {
  let service: TestService;
  let subscription: string;

  before(async () => {
    service = await startService();
    service.client.put(server, '1', samplePem);
    const body = { Destination: 'https://127.0.0.1:9', Protocol: 'Redfish', Context: 'x' };
    const made = await service.ask('POST', `${eventService}/Subscriptions`, { body });
    assert.equal(made.status, 201, made.text);
    subscription = String(made.headers.location);
  });

  after(() => service.close());

  async function read(path: string) {
    const { status, headers, text } = await service.ask('GET', path);
    assert.equal(status, 200, text);
    return { tag: String(headers.etag), json: JSON.parse(text) };
  }

  async function act(path: string, name: string, ifMatch: string) {
    const headers = { 'Content-Type': 'application/json', 'If-Match': ifMatch };
    const { target } = actionsOf((await read(path)).json)[`#${name}`] ?? {};
    if (/Activate|Commit|Rollback/.test(name)) await putReplacement(/Commit/.test(name));
    return service.ask('POST', target ?? '', { headers, body: bodies[name] ?? {} });
  }

  /** With those of ours. */
  function actionsOf({ Actions: { Oem, ...standard } }: Listing) {
    return { ...standard, ...Oem };
  }

  async function putReplacement(isActive: boolean) {
    const { administration } = service;
    await administration.stage(server, { content: pemContent(samplePem), seconds: 0 });
    if (isActive) await administration.activate(server, 0, 'f00d');
  }

  for (const [pattern, names] of Object.entries(listed)) {
    const pathOf = () => pattern.replace(/^.*:id$/, subscription);

    it(`are known for all actions of ${pattern}`, async () => {
      const { json } = await read(pathOf());
      assert.deepEqual(Object.keys(actionsOf(json)).sort(), names.map((name) => `#${name}`).sort());
    });

    for (const name of names) {
      it(`let ${name} pass with the ETag of the resource that lists it`, async () => {
        const { tag } = await read(pathOf());
        const { status, text } = await act(pathOf(), name, tag);
        assert.ok(status >= 200 && status < 300, `${status} ${text}`);
      });

      it(`let ${name} pass with If-Match: *`, async () => {
        const { status, text } = await act(pathOf(), name, '*');
        assert.ok(status >= 200 && status < 300, `${status} ${text}`);
      });

      it(`answer 412 to ${name} with an ETag of another resource`, async () => {
        const other = (await read('/redfish/v1/SessionService')).tag;
        for (const stale of [other, '"stale"', `W/${(await read(pathOf())).tag}`]) {
          const { status, text } = await act(pathOf(), name, stale);
          assert.equal(status, 412, text);
          assert.match(text, /PreconditionFailed/);
        }
      });
    }
  }

  it('answer 412 once the resource has changed, and 404 once it is gone', async () => {
    const { tag } = await read(certificate);
    const selfSigned = { validDays: 10, renewBeforeDays: 1, curve: 'prime256v1' } as const;
    const { leaf } = generateCertificate(
      { hostName: 'successor', addresses: [] },
      { ...selfSigned, organization: 'Test' },
      Date.now(),
    );
    service.client.put(server, '1', leaf.pem);
    assert.equal((await act(certificate, 'Certificate.Rekey', tag)).status, 412);
    assert.equal(
      (await act(certificate, 'Certificate.Rekey', (await read(certificate)).tag)).status,
      200,
    );
    const gone = `${certificate.slice(0, -1)}2/Actions/Certificate.Rekey`;
    const headers = { 'If-Match': tag };
    assert.equal((await service.ask('POST', gone, { headers })).status, 404);
  });

  const account = { UserName: 'made', Password: 'correct-made', RoleId: 'ReadOnly' };
  const receiver = { Destination: 'https://127.0.0.1:9', Protocol: 'Redfish', Context: 'y' };
  const session = { UserName: 'admin', Password: 'admin-pw' };
  const collections = {
    '/redfish/v1/AccountService/Accounts': account,
    [`${eventService}/Subscriptions`]: receiver,
    '/redfish/v1/SessionService/Sessions': session,
  };
  for (const [collection, body] of Object.entries(collections)) {
    it(`are those of ${collection} at its Members property`, async () => {
      const path = `${collection}/Members`;
      for (const stale of ['"stale"', `W/${(await read(collection)).tag}`]) {
        const headers = { 'If-Match': stale };
        assert.equal((await service.ask('POST', path, { headers, body })).status, 412);
      }
      const headers = { 'If-Match': (await read(collection)).tag };
      const as = 'admin:admin-pw';
      const { status, text } = await service.ask('POST', path, { headers, body, as });
      // Who logs in has read nothing
      assert.equal(status, body === session ? 412 : 201, text);
    });
  }

  for (const path of ['Sessions', 'Sessions/Members']) {
    it(`let a client log in at ${path} with If-Match: *, and with no ETag`, async () => {
      const answers = { '*': 201, '"guess"': 412 };
      for (const [tag, expected] of Object.entries(answers)) {
        const request = { headers: { 'If-Match': tag }, body: session, as: '' };
        const { status, text } = await service.ask(
          'POST',
          `/redfish/v1/SessionService/${path}`,
          request,
        );
        assert.equal(status, expected, text);
      }
    });
  }

  it('tell a client that may not read the resource nothing of it', async () => {
    const headers = { 'If-Match': '"guess"' };
    const as = 'reader:reader-pw';
    const target = `${certificate}/Actions/Certificate.Rekey`;
    assert.equal((await service.ask('POST', target, { headers, as })).status, 403);
  });
});
