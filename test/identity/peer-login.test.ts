import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailedLogins } from '../../src/identity/accounts/failed-logins.ts';
import { LoginGate } from '../../src/identity/accounts/login-gate.ts';
import type { LoginOutcome, User } from '../../src/identity/accounts/user-directory.ts';
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

/** A gate to a directory that gives these outcomes, one after the other, and locks after two failures. */
function gateTo(outcomes: readonly (LoginOutcome | Error)[]) {
  const { audit, auditLines } = recordedAudit();
  const left = [...outcomes];
  const users = {
    list: async () => [bob],
    find: async () => bob,
    async login() {
      const next = left.shift() ?? { kind: 'wrong' as const };
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const rules = { threshold: 2, lockSeconds: 60, resetSeconds: 60, resetEnabled: true };
  const failures = new FailedLogins(
    () => rules,
    { entries: 10, perAddress: 3 },
    () => 0,
  );
  const gate = new LoginGate(users, failures, new LoginAudit(audit), 5);
  const login = (userName: string) =>
    loginByPassword({ gate }, { userName, address, method: 'session' }, 'a password');
  return { login, auditLines };
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
      const { login, auditLines } = gateTo([outcome]);
      assert.deepEqual(await login('bob'), gives);
      const fields = { user: 'bob', address, method: 'session', outcome: outcome.kind };
      assert.deepEqual(auditLines, [`${line} ${JSON.stringify(fields)}`]);
    });
  }

  it('has a line where nobody can check the password', async () => {
    const { login, auditLines } = gateTo([new IdentityError('unavailable', 'bob')]);
    await assert.rejects(login('bob'), { code: 'unavailable' });
    assert.match(auditLines.join(), /^warn audit: login failed .*"outcome":"unavailable"\}$/);
  });

  it('has a line for each lock that begins: of the account, then of the address for all names', async () => {
    const { login, auditLines } = gateTo([]);
    for (const name of ['bob', 'bob', 'bob', 'eve', 'bob', 'mallory']) await login(name);
    const told = auditLines.map((line) => {
      const [, user, what] = /"user":"(\w+)".*"(?:outcome|of)":"(\w+)"\}$/.exec(line) ?? [];
      return `${line.includes('lockout') ? 'lockout ' : ''}${user} ${what}`;
    });
    assert.deepEqual(told, [
      'bob wrong',
      'bob wrong',
      'lockout bob account',
      'bob locked',
      'eve wrong',
      'lockout eve address',
      'bob locked',
      'mallory locked',
    ]);
  });
});

describe('a login by certificate', () => {
  type Answer = Awaited<ReturnType<ClientCertificates['login']>>;
  const loginWith = (answers: readonly Answer[]) => {
    const { audit, auditLines } = recordedAudit();
    const left = [...answers];
    const certificates = { login: async () => left.shift() };
    const logins = new LoginAudit(audit);
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
    const line = `warn audit: login failed ${JSON.stringify({ address, method: 'certificate', outcome: 'expired' })}`;
    assert.deepEqual(auditLines, [line, line]);
  });

  it('has no line where the peer has no certificate', async () => {
    const { login, auditLines } = loginWith([]);
    assert.equal(await login({}), undefined);
    assert.deepEqual(auditLines, []);
  });
});
