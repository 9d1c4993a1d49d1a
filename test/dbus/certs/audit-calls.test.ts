import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { auditCalls } from '../../../src/dbus/certs/audit-calls.ts';
import { changingMethods } from '../../../src/dbus/certs/changing-methods.ts';
import { DBusProtocolError } from '../../../src/dbus/server/error-names.ts';
import { managerOnBus } from '../../fakes/manager-on-bus.ts';
import { names, paths } from '../../fakes/manager-process.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { recordedAudit } from '../../fakes/recorded-audit.ts';

const call = {
  ...{ path: '/p', interface: '', member: 'Do', signature: '', body: [], sender: ':1.7' },
  wantsReply: true,
  answer: () => undefined,
  fail: () => undefined,
};
const known = async () => ({ user: 7, process: 42, groups: [] });

describe('the methods that change something', () => {
  it('are each there once, and none that only reads', () => {
    assert.equal(new Set(changingMethods).size, changingMethods.length);
    for (const name of ['Install', 'Replace', 'Delete', 'GenerateCSR', 'Commit', 'Reload'])
      assert.ok(changingMethods.includes(name), name);
    for (const name of ['CSR', 'Outstanding']) assert.ok(!changingMethods.includes(name), name);
  });
});

describe('the audit of calls', () => {
  const calls = [
    { what: 'a call', outcome: 'info audit: call', code: 'ok' },
    {
      what: 'a refused call',
      error: new CertError('access-denied', 'no'),
      outcome: 'warn audit: call refused',
      code: 'access-denied',
    },
    {
      what: 'a call that fails',
      error: new Error('secret'),
      outcome: 'warn audit: call refused',
      code: 'xyz.openbmc_project.Common.Error.InternalFailure',
    },
  ];
  for (const { what, error, outcome, code } of calls) {
    it(`has a line of ${what}, with its caller and outcome`, async () => {
      const { audit, auditLines } = recordedAudit();
      const follow = auditCalls(audit, { credentials: known });
      const work = async () => {
        if (error) throw error;
        return 5;
      };
      const done = follow(call, { name: 'a.B.Do', changes: true }, work);
      if (error) await assert.rejects(done, error);
      else assert.equal(await done, 5);
      const [line = ''] = auditLines.map((one) => one.replace(/"change":"[0-9a-f]{12}",/, ''));
      const fields = {
        uid: 7,
        pid: 42,
        sender: ':1.7',
        method: 'a.B.Do',
        path: '/p',
        outcome: code,
      };
      assert.equal(line, `${outcome} ${JSON.stringify(fields)}`);
      assert.equal(auditLines.length, 1);
    });
  }

  const endings = [
    { what: 'a success', changes: true, told: ['Do undefined'] },
    {
      what: 'a refusal',
      changes: true,
      error: new CertError('not-found', 'no'),
      told: ['Do not-found'],
    },
    {
      what: 'bad arguments',
      changes: true,
      error: new DBusProtocolError('InvalidArgs', 'no'),
      told: ['Do argument-invalid'],
    },
    { what: 'a fault', changes: true, error: new Error('bug'), told: ['Do internal'] },
    { what: 'a call that changes nothing', changes: false, told: [] },
    {
      what: 'a refusal of such a call',
      changes: false,
      error: new CertError('access-denied', 'no'),
      told: [],
    },
  ];
  for (const { what, changes, error, told } of endings) {
    it(`tells the counter of ${what}${told.length > 0 ? '' : ' nothing'}`, async () => {
      const ended: string[] = [];
      const { audit } = recordedAudit();
      const follow = auditCalls(audit, { credentials: known }, (...one) =>
        ended.push(`${one[1]} ${one[2]}`),
      );
      const work = async () => {
        if (error) throw error;
      };
      await follow(call, { name: 'a.B.Do', changes }, work).catch(() => undefined);
      assert.deepEqual(ended, told);
    });
  }

  it('has a line of a caller of whom the bus knows nothing', async () => {
    const { audit, auditLines } = recordedAudit();
    const follow = auditCalls(audit, { credentials: () => Promise.reject(new Error('gone')) });
    await follow(call, { name: 'a.B.Do', changes: true }, async () => undefined);
    assert.match(
      auditLines[0] ?? '',
      /"sender":":1.7","method":"a.B.Do","path":"\/p","outcome":"ok"/,
    );
    assert.doesNotMatch(auditLines[0] ?? '', /uid|pid/);
  });

  it('has a line of a call that changes nothing only when it is refused', async () => {
    const { audit, auditLines } = recordedAudit();
    const follow = auditCalls(audit, { credentials: known });
    const reading = { name: 'a.B.Read', changes: false };
    await follow(call, reading, async () => undefined);
    assert.deepEqual(auditLines, []);
    await assert.rejects(follow(call, reading, () => Promise.reject(new Error('no'))));
    assert.equal(auditLines.length, 1);
  });
});

describe('the log of a manager', () => {
  const served = managerOnBus(names.authority);
  const authority = opensslAuthority();
  after(() => authority.remove());

  it('has lines of a call and of what it changed, with one id', async () => {
    const file = join(served.bus.directory, 'ca.pem');
    writeFileSync(file, authority.issueCa().pem);
    const install = 'xyz.openbmc_project.Certs.Install.Install';
    await served.tools.call(paths.authority, install, 's', file);
    const [, id, uid, pid] =
      /audit: call change=([0-9a-f]{12}) uid=(\d+) pid=(\d+) sender=:1\.\d+ method=xyz\.openbmc_project\.Certs\.Install\.Install path=\S+ outcome=ok\n/.exec(
        served.manager.output(),
      ) ?? [];
    assert.equal(Number(uid), process.getuid?.());
    assert.ok(Number(pid) > 0);
    assert.match(
      served.manager.output(),
      new RegExp(`certificate added change=${id} object=${paths.authority}/`),
    );
    assert.doesNotMatch(served.manager.output(), /BEGIN/);
  });

  it('says how many certificates a call put there that takes several', async () => {
    const file = join(served.bus.directory, 'bundle.pem');
    const [one, other] = ['/CN=One', '/CN=Other'].map((subject) => authority.issueCa({ subject }));
    writeFileSync(file, `${one?.pem}${other?.pem}`);
    const replaceAll = 'xyz.openbmc_project.Certs.ReplaceAll.ReplaceAll';
    await served.tools.call(paths.authority, replaceAll, 's', file);
    assert.match(
      served.manager.output(),
      /audit: call change=\w+ .* method=\S+\.ReplaceAll path=\S+ certificates=2 outcome=ok\n/,
    );
  });

  it('has no line of a caller who reads which CSRs wait', async () => {
    await served.tools.call(
      paths.authority,
      'xyz.openbmc_project.Certs.Extension.Request.Outstanding',
    );
    assert.doesNotMatch(served.manager.output(), /Outstanding/);
  });
});
