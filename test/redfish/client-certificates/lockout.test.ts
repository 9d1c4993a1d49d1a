import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { CertificateLogin } from '../../../src/identity/accounts/access-settings.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { type Ask, revoked, startTlsService, type TlsService, truststore } from './tls-service.ts';

const uri = '/redfish/v1/AccountService';
const respond = 'RespondToUnauthenticatedClients';
const always = { from: '20200101000000Z', until: '20990101000000Z' };

describe('the settings of client certificates', () => {
  let authority: OpensslAuthority;
  let service: TlsService;
  let root: Issued;
  const shown: Record<string, Issued> = {};

  before(async () => {
    authority = opensslAuthority();
    root = authority.issueCa({ ...always, subject: '/CN=Root' });
    const other = authority.issueCa({ ...always, subject: '/CN=Other' });
    for (const name of ['admin', 'reader', 'nobody']) {
      shown[name] = authority.issue({ ...always, subject: `/CN=${name}`, issuer: root });
    }
    shown.stranger = authority.issue({ ...always, subject: '/CN=admin', issuer: other });
    shown.both = authority.issue({
      ...always,
      subject: '/CN=admin',
      issuer: root,
      extensions: [
        'basicConstraints=CA:FALSE',
        'subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@example.com',
      ],
    });
    service = await startTlsService(authority);
    service.client.put(truststore, '1', root.pem);
    const own = shown.admin?.certificate;
    if (own) await service.accountCertificates.add('admin', own, async () => true);
  });

  after(async () => {
    await service.close();
    authority.remove();
  });

  afterEach(async () => {
    service.alwaysRespond = false;
    service.client.put(truststore, '1', root.pem);
    await set({ respond: true });
  });

  const set = (change: Partial<CertificateLogin>) => service.setLogin(change);

  const patch = (change: object, show?: string, as?: string) => {
    const one = show === undefined ? undefined : shown[show];
    const body = { MultiFactorAuth: { ClientCertificate: change } };
    return service.ask(uri, {
      method: 'PATCH',
      body,
      ...(one && { show: one }),
      ...(as && { as }),
    });
  };
  const password = 'admin:admin-pw';
  const whole = { CertificateMappingAttribute: 'Whole' };
  const upn = { CertificateMappingAttribute: 'UserPrincipalName' };

  interface Row {
    readonly what: string;
    readonly from?: object;
    readonly change: object;
    readonly show?: string;
    readonly as?: string;
    readonly status: number;
    readonly id?: string;
  }
  const external = 'PropertyValueExternalConflict';
  const conflict = 'PropertyValueConflict';
  const rows: readonly Row[] = [
    {
      what: 'refusing others, by password',
      change: { [respond]: false },
      as: password,
      status: 409,
      id: external,
    },
    {
      what: 'refusing others, by a stranger with a password',
      change: { [respond]: false },
      show: 'stranger',
      as: password,
      status: 409,
      id: external,
    },
    {
      what: 'refusing others, by an administrator with his certificate',
      change: { [respond]: false },
      show: 'admin',
      status: 200,
    },
    {
      what: 'refusing others, by a reader with his certificate',
      change: { [respond]: false },
      show: 'reader',
      status: 403,
    },
    {
      what: 'refusing others under a mapping that loses him',
      change: { [respond]: false, ...upn },
      show: 'admin',
      status: 409,
      id: external,
    },
    {
      what: 'refusing others under a mapping that keeps him',
      change: { [respond]: false, ...upn },
      show: 'both',
      status: 200,
    },
    {
      what: 'a mapping that loses him while others are refused',
      from: { respond: false },
      change: upn,
      show: 'admin',
      status: 409,
      id: conflict,
    },
    {
      what: 'a mapping that keeps him while others are refused',
      from: { respond: false },
      change: upn,
      show: 'both',
      status: 200,
    },
    { what: 'a mapping while others are served', change: upn, as: password, status: 200 },
    {
      what: 'serving others again',
      from: { respond: false },
      change: { [respond]: true },
      show: 'admin',
      status: 200,
    },
    {
      what: 'no certificates while others are served',
      change: { Enabled: false },
      as: password,
      status: 200,
    },
    {
      what: 'no certificates and refusing others, by password',
      change: { Enabled: false, [respond]: false },
      as: password,
      status: 409,
      id: external,
    },
    {
      what: 'certificates while refusing others is left over',
      from: { enabled: false, respond: false },
      change: { Enabled: true },
      as: password,
      status: 409,
      id: conflict,
    },
    {
      what: 'the whole certificate while others are served',
      change: whole,
      as: password,
      status: 200,
    },
    {
      what: 'the whole certificate and refusing others, by one that no account has',
      change: { [respond]: false, ...whole },
      show: 'both',
      status: 409,
      id: external,
    },
    {
      what: 'the whole certificate and refusing others, by one of his account',
      change: { [respond]: false, ...whole },
      show: 'admin',
      status: 200,
    },
    {
      what: 'the whole certificate while others are refused, by one that no account has',
      from: { respond: false },
      change: whole,
      show: 'both',
      status: 409,
      id: conflict,
    },
    {
      what: 'what is no mapping',
      change: { CertificateMappingAttribute: 'x' },
      as: password,
      status: 400,
      id: 'PropertyValueNotInList',
    },
    {
      what: 'what is no boolean',
      change: { Enabled: 'yes' },
      as: password,
      status: 400,
      id: 'PropertyValueTypeError',
    },
    {
      what: 'a property that does not exist',
      change: { TLSStrict: true },
      as: password,
      status: 400,
      id: 'PropertyUnknown',
    },
    {
      what: 'anything by a reader',
      change: { Enabled: false },
      as: 'reader:reader-pw',
      status: 403,
    },
    { what: 'anything by nobody', change: { Enabled: false }, status: 401 },
  ];
  for (const { what, from = {}, change, show, as, status, id } of rows) {
    it(`answers ${status} to ${what}`, async () => {
      await set(from);
      const before = service.settings.clientCertificates;
      const answer = await patch(change, show, as);
      assert.equal(answer.status, status, answer.text);
      if (id) assert.ok(answer.text.includes(`.${id}"`), answer.text);
      if (status >= 400) assert.deepEqual(service.settings.clientCertificates, before);
      else
        assert.deepEqual(service.stored().clientCertificates, service.settings.clientCertificates);
      if (
        !service.settings.clientCertificates.respond &&
        service.settings.clientCertificates.enabled
      ) {
        const own = show === undefined ? undefined : shown[show];
        if (own)
          assert.equal((await service.ask(uri, { show: own })).status, 200, 'not locked out');
      }
    });
  }

  for (const path of ['/redfish/v1', '/redfish/v1/SessionService/Sessions', '/nowhere']) {
    it(`serves nothing of ${path} to others while they are refused`, async () => {
      await set({ respond: false });
      for (const name of [undefined, 'stranger', 'nobody'] as const) {
        const show = name && shown[name];
        const answer = await service.ask(path, { ...(show && { show }), as: password });
        assert.equal(answer.status, 0, answer.text);
      }
    });
  }

  describe('while only clients with certificates are served', () => {
    const lists = {
      trusted: '/redfish/v1/Managers/bmc/Truststore/Certificates',
      alias: '/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates',
      revoked: '/redfish/v1/Managers/bmc/SecurityPolicy/TLS/Server/RevokedCertificates',
      legacy: '/xyz/openbmc_project/certs/authority',
    };
    const replace = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
    const stage = '/redfish/v1/CertificateService/Actions/Oem/BmcCertificates.Stage';
    const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
    const posted = ({ pem = '' }: Partial<Issued> = {}) => ({
      method: 'POST',
      body: { CertificateString: pem, CertificateType: 'PEM' },
    });
    let other: Issued;

    before(() => {
      other = authority.issueCa({ ...always, subject: '/CN=Second' });
    });

    beforeEach(async () => {
      for (const { id } of service.client.list(revoked)) await service.client.delete(revoked, id);
      for (const { id } of service.client.list(truststore)) {
        await service.client.delete(truststore, id);
      }
      service.client.put(truststore, '1', root.pem);
      service.client.put(truststore, '2', other.pem);
      await set({ respond: false });
    });

    const harmful: readonly (readonly [string, string, () => Omit<Ask, 'show'>])[] = [
      ['deletes his authority', `${lists.trusted}/1`, () => ({ method: 'DELETE' })],
      [
        'replaces his authority',
        replace,
        () => ({
          method: 'POST',
          body: {
            ...posted(authority.issueCa({ subject: '/CN=Third' })).body,
            CertificateUri: `${lists.alias}/1`,
          },
        }),
      ],
      [
        'replaces all authorities',
        `${lists.alias}/Actions/Oem/BmcCertificates.ReplaceAll`,
        () => posted(authority.issueCa({ subject: '/CN=Third' })),
      ],
      [
        'stages other authorities',
        stage,
        () => {
          const { body } = posted(authority.issueCa({ subject: '/CN=Third' }));
          return { method: 'POST', body: { ...body, Certificates: lists.trusted } };
        },
      ],
      [
        'stages other authorities beside a certificate',
        stage,
        () => {
          const { pem: AuthoritiesString } = authority.issueCa({ subject: '/CN=Third' });
          const body = { ...posted(root).body, Certificates: ldap, AuthoritiesString };
          return { method: 'POST', body };
        },
      ],
      ['revokes his own certificate', lists.revoked, () => posted(shown.admin)],
      ['revokes his authority', lists.revoked, () => posted(root)],
    ];
    for (const [what, path, asked] of harmful) {
      it(`answers 409 to an administrator who ${what}`, async () => {
        const own = shown.admin;
        assert.ok(own);
        const answer = await service.ask(path, { ...asked(), show: own });
        assert.equal(answer.status, 409, answer.text);
        assert.equal(service.client.list(truststore).length, 2);
        assert.equal(service.client.list(revoked).length, 0);
        assert.equal((await service.ask(uri, { show: own })).status, 200, 'not locked out');
      });
    }

    it('answers 400 to the same over the addresses of before Redfish', async () => {
      const own = shown.admin;
      assert.ok(own);
      const path = `${lists.legacy}/truststore/1`;
      const answer = await service.ask(path, { method: 'DELETE', show: own });
      assert.equal(answer.status, 400, answer.text);
      assert.equal(service.client.list(truststore).length, 2);
    });

    const harmless: readonly (readonly [string, string, () => Omit<Ask, 'show'>, number])[] = [
      ['deletes another authority', `${lists.trusted}/2`, () => ({ method: 'DELETE' }), 204],
      ['revokes somebody else', lists.revoked, () => posted(shown.reader), 201],
      [
        'stages another list that has his authority',
        stage,
        () => {
          const CertificateString = root.pem + authority.issueCa({ subject: '/CN=Third' }).pem;
          return { method: 'POST', body: { CertificateString, Certificates: lists.trusted } };
        },
        200,
      ],
      [
        'trusts one more authority',
        lists.trusted,
        () => posted(authority.issueCa({ subject: '/CN=More' })),
        201,
      ],
    ];
    for (const [what, path, asked, status] of harmless) {
      it(`does as told by an administrator who ${what}`, async () => {
        const own = shown.admin;
        assert.ok(own);
        const answer = await service.ask(path, { ...asked(), show: own });
        assert.equal(answer.status, status, answer.text);
      });
    }

    it('lets the last authority go, after which everybody is served', async () => {
      const own = shown.admin;
      assert.ok(own);
      await service.client.delete(truststore, '2');
      const answer = await service.ask(`${lists.trusted}/1`, { method: 'DELETE', show: own });
      assert.equal(answer.status, 204, answer.text);
      assert.equal((await service.ask(uri, { as: password })).status, 200);
      // The first one that comes would end that for whoever shows nothing
      const first = await service.ask(lists.trusted, { ...posted(root), as: password });
      assert.equal(first.status, 409, first.text);
      assert.equal((await patch({ [respond]: true }, undefined, password)).status, 200);
      const again = await service.ask(lists.trusted, { ...posted(root), as: password });
      assert.equal(again.status, 201, again.text);
    });
  });

  it('lets an administrator back in when the truststore is empty', async () => {
    await set({ respond: false });
    await service.client.delete(truststore, '1');
    assert.equal((await service.ask(uri, { as: password })).status, 200);
    assert.equal((await patch({ [respond]: true }, undefined, password)).status, 200);
  });

  it('lets nobody in when the manager is away, which is no empty truststore', async () => {
    await set({ respond: false });
    service.client.away = true;
    try {
      assert.equal((await service.ask(uri, { as: password })).status, 0);
    } finally {
      service.client.away = false;
    }
  });

  it('lets an administrator back in when the operator says so', async () => {
    await set({ respond: false });
    service.alwaysRespond = true;
    assert.equal((await service.ask(uri, { as: password })).status, 200);
    assert.equal((await patch({ [respond]: true }, undefined, password)).status, 200);
  });
});
