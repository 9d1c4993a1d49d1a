import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  LoginOutcome,
  PasswordLogin,
  User,
} from '../../src/identity/accounts/user-directory.ts';
import { IdentityError } from '../../src/identity/identity-error.ts';
import { LoginAudit } from '../../src/identity/login-audit.ts';
import type { ClientCertificates } from '../../src/identity/peer-certificates/client-certificates.ts';
import { loginByCertificate, loginByPassword } from '../../src/identity/peer-login.ts';
import { recordedAudit } from '../fakes/recorded-audit.ts';

const bob: User = {
  ...{ userName: 'bob', role: 'Operator', enabled: true, locked: false },
  ...{ passwordChangeRequired: false, accountTypes: ['Redfish'] },
};
const address = '192.0.2.7';

/** An edge whose users give these outcomes, one after the other. */
function edgeWith(outcomes: readonly (LoginOutcome | Error)[]) {
  const { audit, auditLines } = recordedAudit();
  const left = [...outcomes];
  const asked: PasswordLogin[] = [];
  const users = {
    async login(attempt: PasswordLogin) {
      asked.push(attempt);
      const next = left.shift() ?? { kind: 'wrong' as const };
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const logins = new LoginAudit(audit, 'netconf');
  const login = (userName: string) =>
    loginByPassword({ users, logins }, { userName, address, method: 'session' }, 'a password');
  return { login, auditLines, asked };
}

describe('a login by password', () => {
  const outcomes: readonly { outcome: LoginOutcome; gives: object; line: string }[] = [
    {
      outcome: { kind: 'ok', user: bob },
      gives: { identity: { account: bob } },
      line: 'info audit: login',
    },
    {
      outcome: { kind: 'password-expired', user: bob },
      gives: { identity: { account: { ...bob, passwordChangeRequired: true } } },
      line: 'info audit: login',
    },
    ...(['wrong', 'locked', 'disabled', 'busy'] as const).map((kind) => ({
      outcome: { kind },
      gives: { refusal: kind },
      line: 'warn audit: login failed',
    })),
  ];
  for (const { outcome, gives, line } of outcomes) {
    it(`that is ${outcome.kind} has its answer and one line`, async () => {
      const { login, auditLines, asked } = edgeWith([outcome]);
      assert.deepEqual(await login('bob'), gives);
      const [{ id } = { id: '' }] = asked;
      assert.match(id, /^[0-9a-f]{12}$/);
      assert.deepEqual(asked, [{ userName: 'bob', address, edge: 'netconf', id }]);
      const about = { user: 'bob', address, edge: 'netconf', method: 'session', attempt: id };
      const fields = { ...about, outcome: outcome.kind };
      assert.deepEqual(auditLines, [`${line} ${JSON.stringify(fields)}`]);
    });
  }

  it('with a name that the bus cannot carry is wrong, and has a line', async () => {
    const { login, auditLines, asked } = edgeWith([new IdentityError('failed')]);
    assert.deepEqual(await login('b\0b'), { refusal: 'wrong' });
    assert.deepEqual(asked, []);
    assert.match(auditLines.join(), /^warn audit: login failed .*"outcome":"wrong"\}$/);
  });

  it('has a line where nobody can check the password', async () => {
    const { login, auditLines } = edgeWith([new IdentityError('unavailable', 'bob')]);
    await assert.rejects(login('bob'), { code: 'unavailable' });
    assert.match(auditLines.join(), /^warn audit: login failed .*"outcome":"unavailable"\}$/);
  });
});

describe('a login by certificate', () => {
  type Answer = Awaited<ReturnType<ClientCertificates['login']>>;
  const loginWith = (answers: readonly Answer[]) => {
    const { audit, auditLines } = recordedAudit();
    const left = [...answers];
    const certificates = { login: async () => left.shift() };
    const logins = new LoginAudit(audit, 'netconf');
    const login = (connection: object) =>
      loginByCertificate({ certificates, logins }, { connection, address });
    return { login, auditLines };
  };

  it('has one line for each connection and outcome', async () => {
    const refused = { refusal: 'expired' } as const;
    const { login, auditLines } = loginWith([refused, refused, refused]);
    const connection = {};
    assert.deepEqual(await login(connection), refused);
    await login(connection);
    await login({});
    const line = `warn audit: login failed ${JSON.stringify({ address, edge: 'netconf', method: 'certificate', outcome: 'expired' })}`;
    assert.deepEqual(auditLines, [line, line]);
  });

  it('has no line where the peer has no certificate', async () => {
    const { login, auditLines } = loginWith([]);
    assert.equal(await login({}), undefined);
    assert.deepEqual(auditLines, []);
  });
});
