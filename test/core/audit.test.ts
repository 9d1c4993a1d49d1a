import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { AuditEvent } from '../../src/core/audit.ts';
import { must } from '../e2e/commands.ts';
import { recordedAudit } from '../fakes/recorded-audit.ts';
import { quotedSource, typescriptProgram } from '../fakes/typescript-program.ts';

/** The line of a failed login with this name, as a program writes it. */
async function lineOf(user: string): Promise<string> {
  const script = `import { Audit } from ${quotedSource('core/audit.ts')};
    import { makeLog } from ${quotedSource('core/log.ts')};
    new Audit(makeLog('program')).write('login failed', { user: ${JSON.stringify(user)}, outcome: 'wrong' });`;
  const command = 'exec env -u JOURNAL_STREAM -u LOG_LEVEL "$0" "$@" 2>&1';
  return must('sh', ['-c', command, ...typescriptProgram(script)]);
}

describe('the audit', () => {
  const levels: Record<AuditEvent, 'info' | 'warn'> = {
    login: 'info',
    'login failed': 'warn',
    'lockout begun': 'warn',
    'lockout ended': 'info',
    'session begun': 'info',
    'session ended': 'info',
    change: 'info',
    'change refused': 'warn',
    call: 'info',
    'call refused': 'warn',
  };
  for (const [event, level] of Object.entries(levels)) {
    it(`has a line of the level ${level} for the event ${event}`, () => {
      const { audit, auditLines } = recordedAudit();
      audit.write(event as AuditEvent, { user: 'bob', uid: 7 });
      assert.deepEqual(auditLines, [`${level} audit: ${event} {"user":"bob","uid":7}`]);
    });
  }

  it('has one id for all lines of a change, also of what goes on after it, and another for the next', async () => {
    const { audit, auditLines } = recordedAudit();
    let later: Promise<void> | undefined;
    const change = () =>
      audit.during(async () => {
        later = turn().then(() => audit.write('session ended', {}));
        await turn();
        audit.write('change', {});
      });
    await change();
    await later;
    await Promise.all([change(), change()]);
    await turn();
    audit.write('login', {});
    const ids = auditLines.map((line) => /"change":"([0-9a-f]{12})"/.exec(line)?.[1]);
    assert.equal(ids[0], ids[1]);
    assert.equal(new Set(ids.slice(0, -1)).size, 3);
    assert.equal(ids.at(-1), undefined);
    assert.equal(auditLines.length, 7);
  });

  it('has no id where something happens during a change that it has nothing to do with', async () => {
    const { audit, auditLines } = recordedAudit();
    await audit.during(async () => audit.apart(() => audit.write('session ended', {})));
    assert.deepEqual(auditLines, ['info audit: session ended {}']);
  });

  it('tells a change what its parts say of it, and nobody else', async () => {
    const { audit } = recordedAudit();
    audit.tell({ user: 'nobody' });
    await audit.during(async (told) => {
      assert.deepEqual(told(), {});
      audit.tell({ user: 'bob' });
      audit.tell({ members: 'Password' });
      assert.deepEqual(told(), { user: 'bob', members: 'Password' });
    });
  });

  it('cuts names and other texts between characters', () => {
    const { audit, auditLines } = recordedAudit();
    audit.write('login failed', { user: '😀'.repeat(65), uri: 'x'.repeat(1_000_000) });
    audit.write('login', { user: '😀'.repeat(64), uri: 'x'.repeat(128) });
    const fields = auditLines.map((line) => JSON.parse(line.slice(line.indexOf('{'))));
    assert.deepEqual(fields, [
      { user: `${'😀'.repeat(64)}…`, uri: `${'x'.repeat(128)}…` },
      { user: '😀'.repeat(64), uri: 'x'.repeat(128) },
    ]);
  });

  const names = [
    {
      what: 'a line feed',
      name: 'a\n2026-01-01T00:00:00Z info x: audit: login user=root',
      says: 'a\\n2026',
    },
    { what: 'a carriage return and an escape', name: '\r\u001b[2Kroot', says: '\\r\\u001b[2Kroot' },
    { what: 'NUL', name: 'a\0b', says: 'a\\u0000b' },
    { what: 'quotes and fields of its own', name: 'x" outcome="ok', says: 'x\\" outcome=\\"ok' },
    { what: 'a change of direction', name: 'a\u202ebc\u2066d', says: 'a\\u202ebc\\u2066d' },
    { what: 'a line separator', name: 'a\u2028b', says: 'a\\u2028b' },
  ];
  for (const { what, name, says } of names) {
    it(`writes one line for a name with ${what}, and the name within quotes`, async () => {
      const text = await lineOf(name);
      assert.equal(text.split('\n').length, 2, text);
      assert.ok(text.includes(`program: audit: login failed user="${says}`), text);
      assert.ok(text.endsWith('" outcome=wrong\n'), text);
    });
  }
});
