import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { AccountCertificates } from '../../../src/identity/peer-certificates/account-certificates.ts';
import { purgeOrphanedUserData } from '../../../src/redfish/set-up/orphaned-user-data.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import {
  type Issued,
  type OpensslAuthority,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { type AskOptions, startService, type TestService } from '../service.ts';

const accounts = '/redfish/v1/AccountService/Accounts';
const of = (name: string) => `${accounts}/${name}/Certificates`;
const limits = { perAccount: 2, accountCertificateBytes: 4096, content: usualLimits };

describe('the certificates of an account', () => {
  let authority: OpensslAuthority;
  let service: TestService;
  let kept: AccountCertificates;
  let path: string;
  const made: Issued[] = [];
  const one = (at = 0) => {
    const found = made[at];
    assert.ok(found);
    return found;
  };
  const openssl = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('openssl', args);
    assert.equal(status, 0, String(stderr));
    return stdout;
  };

  before(async () => {
    authority = opensslAuthority();
    for (const name of ['a', 'b', 'c']) made.push(authority.issue({ subject: `/CN=${name}` }));
    service = await startService();
    await service.accounts.setPassword('operator', 'Operator', 'operator-pw');
    const { accountCertificates } = service.access;
    assert.ok(accountCertificates);
    kept = accountCertificates;
    path = join(service.directory, 'account-certificates.json');
  });
  afterEach(() => {
    kept.clear();
    return kept.store();
  });
  after(async () => {
    await service.close();
    authority.remove();
  });

  const left = () => ({ certificates: kept, sessions: service.sessions });
  const post = (name: string, options: AskOptions) => service.ask('POST', of(name), options);
  const given = async (name: string, at = 0, as?: string) => {
    const answer = await post(name, { body: one(at).pem, ...(as && { as }) });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.headers.location);
  };

  const forms: Record<string, () => AskOptions> = {
    'PEM as it is': () => ({ body: one().pem }),
    'DER as it is': () => ({ binary: one().certificate.der }),
    'PEM in JSON': () => ({ body: { CertificateString: one().pem, CertificateType: 'PEM' } }),
    'PKCS #7 in JSON': () => {
      const pem = openssl('crl2pkcs7', '-nocrl', '-certfile', one().path).toString();
      return { body: { CertificateString: pem, CertificateType: 'PKCS7' } };
    },
  };
  for (const [what, make] of Object.entries(forms)) {
    it(`are taken from ${what}, shown, listed and deleted`, async () => {
      const answer = await post('reader', make());
      assert.equal(answer.status, 201, answer.text);
      const body = JSON.parse(answer.text);
      const uri = String(answer.headers.location);
      assert.equal(body['@odata.id'], uri);
      assert.equal(body.CertificateString, one().pem);
      assert.deepEqual(body.CertificateUsageTypes, ['User']);
      assert.equal(body.Actions, undefined);
      const account = JSON.parse((await service.ask('GET', `${accounts}/reader`)).text);
      assert.deepEqual(account.Certificates, { '@odata.id': of('reader') });
      const list = JSON.parse((await service.ask('GET', of('reader'))).text);
      assert.deepEqual(list.Members, [{ '@odata.id': uri }]);
      assert.equal((await service.ask('GET', uri)).status, 200);
      assert.equal((await service.ask('GET', uri.replace('reader', 'admin'))).status, 404);
      assert.equal((await service.ask('DELETE', uri)).status, 204);
      assert.equal((await service.ask('GET', uri)).status, 404);
      assert.equal((await service.ask('DELETE', uri)).status, 404);
    });
  }

  const refused: Record<string, readonly [() => AskOptions, RegExp]> = {
    'a certificate with its key': [() => ({ body: one().pem + one().key }), /without a key/],
    'a certificate with its key in JSON, with a password': [
      () => ({ body: { CertificateString: one().key + one().pem, Password: 'secret-pw' } }),
      /without a key/,
    ],
    'a key alone': [() => ({ body: one().key }), /no-certificate/],
    'PKCS #12': [
      () => {
        const args = ['-in', one().path, '-inkey', one().keyPath, '-passout', 'pass:secret-pw'];
        const CertificateString = openssl('pkcs12', '-export', ...args).toString('base64');
        return { body: { CertificateString, CertificateType: 'PKCS12', Password: 'secret-pw' } };
      },
      /PropertyValueNotInList/,
    ],
    'two certificates': [() => ({ body: one().pem + one(1).pem }), /too-many-certificates/],
    'no certificate': [() => ({ body: 'hello' }), /no-certificate/],
    'bytes that are none': [
      () => ({ binary: Buffer.from('308203e8020100', 'hex') }),
      /certificate-malformed/,
    ],
    nothing: [() => ({ body: '' }), /file-empty/],
    'more bytes than are taken': [
      () => ({ body: `${'# '.repeat(2048)}\n${one().pem}` }),
      /file-too-large/,
    ],
  };
  for (const [what, [make, says]] of Object.entries(refused)) {
    it(`are not taken from ${what}`, async () => {
      const { status, text } = await post('reader', make());
      assert.equal(status, 400, text);
      assert.match(text, says);
      assert.doesNotMatch(text + service.log.join(''), /secret-pw|PRIVATE KEY/);
      assert.deepEqual(kept.all, []);
    });
  }

  it('are of one account only, and who may see all accounts is told of which', async () => {
    await given('reader', 0, 'reader:reader-pw');
    const asked = [
      { name: 'operator', as: 'operator:operator-pw', isTold: false },
      { name: 'operator', as: 'admin:admin-pw', isTold: true },
      { name: 'reader', as: 'admin:admin-pw', isTold: true },
    ];
    for (const { name, as, isTold } of asked) {
      const { status, text } = await post(name, { body: one().pem, as });
      assert.equal(status, 409);
      assert.match(text, /ResourceAlreadyExists/);
      assert.equal(/reader/.test(text), isTold, text);
    }
  });

  it('are as many as the configuration says', async () => {
    await given('reader', 0);
    await given('reader', 1);
    const { status, text } = await post('reader', { body: one(2).pem });
    assert.equal(status, 400);
    assert.match(text, /CreateLimitReachedForResource/);
    await given('operator', 2);
  });

  it('are of one account also when two ask at once', async () => {
    const names = ['reader', 'operator', 'admin'];
    const answers = await Promise.all(names.map((name) => post(name, { body: one().pem })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  });

  it('are in the hands of their user and of who configures users', async () => {
    for (const as of ['reader:reader-pw', 'operator:operator-pw']) {
      const name = as.split(':')[0] ?? '';
      const uri = await given(name, 0, as);
      for (const at of [of(name), uri]) {
        assert.equal((await service.ask('GET', at, { as })).status, 200);
      }
      assert.equal((await service.ask('DELETE', uri, { as })).status, 204);
    }
    const uri = await given('admin');
    const as = 'reader:reader-pw';
    for (const at of [of('admin'), uri, `${of('admin')}/0`, of('nobody'), `${of('nobody')}/0`]) {
      assert.equal((await service.ask('GET', at, { as })).status, 403, at);
    }
    assert.equal((await post('admin', { as, body: one(1).pem })).status, 403);
    assert.equal((await service.ask('DELETE', uri, { as })).status, 403);
    assert.equal((await post('nobody', { body: one(1).pem })).status, 404);
    assert.equal(kept.all.length, 1);
  });

  it('cannot be changed in the account', async () => {
    const body = { Certificates: { '@odata.id': of('admin') } };
    const { status, text } = await service.ask('PATCH', `${accounts}/reader`, { body });
    assert.equal(status, 400);
    assert.match(text, /PropertyNotWritable/);
  });

  it('are kept in a file of their owner, without keys', async () => {
    await given('reader');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(path, 'utf8'), /PRIVATE/);
    const again = new AccountCertificates(path, limits);
    assert.equal(again.ownerOf(one().certificate), 'reader');
    assert.equal(again.ownerOf(one(1).certificate), undefined);
    for (const text of ['', '{}', '{"certificates":[{"userName":"x"}]}']) {
      const damaged = authority.write('damaged.json', text);
      assert.throws(() => new AccountCertificates(damaged, limits), { name: 'SetupError' });
    }
  });

  it('go when others removed the user, and stay while nobody can tell', async () => {
    await given('reader', 0);
    await given('operator', 1);
    const away = { list: () => Promise.reject(new Error('away')), find: async () => undefined };
    await assert.rejects(purgeOrphanedUserData(left(), away));
    assert.equal(kept.all.length, 2);
    const users = (await service.accounts.list()).filter(({ userName }) => userName !== 'reader');
    await purgeOrphanedUserData(left(), { list: async () => users, find: async () => undefined });
    assert.deepEqual(
      kept.all.map(({ userName }) => userName),
      ['operator'],
    );
  });

  it('are not taken for a user who is kept elsewhere', async () => {
    const list = service.accounts.list.bind(service.accounts);
    service.accounts.list = async () => [];
    try {
      const { status, text } = await post('reader', { body: one().pem });
      assert.equal(status, 405, text);
      assert.deepEqual(kept.all, []);
    } finally {
      service.accounts.list = list;
    }
  });
});
