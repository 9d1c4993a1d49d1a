import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test';
import { type Credential, fingerprintOf, formatCredential } from '../../src/tls/credential.ts';
import { openServerIdentity, type ServerIdentity } from '../../src/tls/server-identity.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { until } from '../e2e/commands.ts';
import { makeCredential, makePair } from '../fakes/credentials.ts';
import { type OpensslAuthority, opensslAuthority } from '../fakes/openssl-authority.ts';
import { fileStates } from './file-states.ts';

const day = 86_400_000;

describe('the identity of a server', () => {
  let openssl: OpensslAuthority;
  let directory: string;
  let path: string;
  let copyPath: string;
  let lines: string[];
  let identity: ServerIdentity | undefined;
  let patienceMilliseconds: number;
  let clock: () => number;

  before(() => {
    openssl = opensslAuthority();
  });
  after(() => openssl.remove());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'identity-'));
    path = join(directory, 'server.pem');
    copyPath = join(directory, 'state', 'copy.pem');
    lines = [];
    patienceMilliseconds = 0;
    clock = Date.now;
  });
  afterEach(async () => {
    await identity?.close();
    identity = undefined;
    rmSync(directory, { recursive: true });
  });

  const note = (message: string, fields: object = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const start = async (): Promise<ServerIdentity> => {
    await identity?.close();
    identity = await openServerIdentity({
      ...{ path, copyPath, maxBytes: 1_000_000, profile: 'intermediate', patienceMilliseconds },
      content: usualLimits,
      makeSelfSigned: () => makeCredential('in memory', clock() - Date.now()),
      now: () => clock(),
      log: { debug: note, info: note, warn: note, error: note },
    });
    return identity;
  };
  const put = (credential: Credential, to = path): void => {
    writeFileSync(`${to}.new`, formatCredential(credential));
    renameSync(`${to}.new`, to);
  };
  const nameOf = ({ credential }: ServerIdentity): string =>
    credential.certificate.subject.flat().find(({ type }) => type === 'CN')?.value ?? '';
  const copied = () => (existsSync(copyPath) ? readFileSync(copyPath, 'utf8') : undefined);

  for (const { what, make, reason } of fileStates(() => openssl)) {
    it(`is self-signed and in memory at a start with ${what}, and says so`, async () => {
      make(path);
      const started = await start();
      assert.equal(nameOf(started), 'in memory');
      assert.match(started.fault ?? '', reason);
      const [line = ''] = lines;
      assert.match(line, /^self-signed TLS certificate in memory is served/);
      assert.match(line, reason);
      assert.ok(line.includes(fingerprintOf(started.credential)), line);
      assert.equal(copied(), undefined);
    });

    it(`is the last good one at a start with ${what}`, async () => {
      put(makeCredential('good'));
      await start();
      await until('the copy is written', copied);
      rmSync(path);
      make(path);
      const again = await start();
      assert.equal(nameOf(again), 'good');
      assert.match(again.fault ?? '', reason);
      assert.match(lines.at(-1) ?? '', /^last good TLS certificate is served/);
      assert.match(lines.at(-1) ?? '', reason);
    });

    it(`stays when ${what} comes in its place, and follows the next good one`, async () => {
      put(makeCredential('good'));
      const running = await start();
      rmSync(path);
      make(path);
      await running.refresh();
      assert.equal(nameOf(running), 'good');
      assert.match(running.fault ?? '', reason);
      assert.match(lines.at(-1) ?? '', /^TLS certificate cannot be served, the old one stays/);
      rmSync(path, { recursive: true, force: true });
      put(makeCredential('next'));
      await running.refresh();
      assert.equal(nameOf(running), 'next');
      assert.equal(running.fault, undefined);
      await until('the copy follows', () => copied() === readFileSync(path, 'utf8'));
    });
  }

  for (const [when, first, then] of [
    ['a clock at 1970 is set', () => 0, Date.now],
    ['its time is over', Date.now, () => Date.now() + 400 * day],
    ['a clock of the future is set', () => Date.now() + 4000 * day, Date.now],
  ] as const) {
    it(`is another one in memory when ${when}`, async () => {
      clock = first;
      const running = await start();
      const { credential } = running;
      await running.refresh();
      assert.equal(running.credential, credential);
      clock = then;
      let changes = 0;
      running.onChange(() => {
        changes += 1;
      });
      await running.refresh();
      const { notBefore, notAfter } = running.credential.certificate;
      assert.ok(notBefore * 1000 <= clock() && clock() <= notAfter * 1000);
      assert.equal(changes, 1);
      assert.equal(running.fault, 'the file is missing');
      assert.ok(lines.at(-1)?.includes(fingerprintOf(running.credential)), lines.at(-1));
    });
  }

  it('stays the last good one though the clock leaves its time', async () => {
    put(makeCredential('good'));
    const running = await start();
    rmSync(path);
    await running.refresh();
    clock = () => 0;
    await running.refresh();
    assert.equal(nameOf(running), 'good');
  });

  it('waits at its first start for the file that the manager is about to make', async () => {
    patienceMilliseconds = 60_000;
    const starting = start();
    put(makeCredential('first'));
    assert.equal(nameOf(await starting), 'first');
    assert.deepEqual(lines, []);
  });

  it('says once why a file cannot be served, however often it is looked at', async () => {
    put(makeCredential('good'));
    const running = await start();
    writeFileSync(path, 'garbage');
    for (let look = 0; look < 3; look += 1) await running.refresh();
    writeFileSync(path, 'other garbage');
    await running.refresh();
    assert.equal(lines.length, 1, lines.join('\n'));
  });

  it('takes a file back that is good again, with the same certificate', async () => {
    const good = makeCredential('good');
    put(good);
    const running = await start();
    let changes = 0;
    running.onChange(() => {
      changes += 1;
    });
    rmSync(path);
    await running.refresh();
    put(good);
    assert.equal(running.isBehind, true);
    await running.refresh();
    assert.equal(running.isBehind, false);
    assert.equal(running.fault, undefined);
    assert.equal(changes, 2);
    assert.equal(running.refresh(), undefined);
  });

  it('ends at the last of many files that follow each other', async () => {
    put(makeCredential('first'));
    const running = await start();
    const waiting: Promise<void>[] = [];
    for (let at = 0; at < 5; at += 1) {
      put(makeCredential(`number ${at}`));
      waiting.push(running.refresh() ?? Promise.resolve());
    }
    await Promise.all(waiting);
    assert.equal(nameOf(running), 'number 4');
  });

  for (const code of ['EACCES', 'EIO', 'EMFILE']) {
    it(`reads a file again after ${code}, though nothing changed it`, async () => {
      put(makeCredential('good'));
      const running = await start();
      put(makeCredential('next'));
      const fail = async () => {
        throw Object.assign(new Error(`${code}: no`), { code, errno: -5 });
      };
      const open = mock.method(fs.promises, 'open', fail);
      syncBuiltinESMExports();
      try {
        await running.refresh();
        assert.equal(nameOf(running), 'good');
        assert.equal(running.fault, `the file cannot be read (${code})`);
      } finally {
        open.mock.restore();
        syncBuiltinESMExports();
      }
      await running.refresh();
      assert.equal(nameOf(running), 'next');
    });
  }

  describe('and its copy', () => {
    it('is for its owner alone, and goes with the key that it holds', async () => {
      const first = makeCredential('first');
      put(first);
      const running = await start();
      await until('the copy is written', copied);
      assert.equal(statSync(copyPath).mode & 0o777, 0o600);
      const second = makeCredential('second');
      put(second);
      await running.refresh();
      await until('the copy follows', () => copied() === formatCredential(second));
    });

    it('is never of a certificate in memory', async () => {
      await start();
      await identity?.close();
      assert.equal(copied(), undefined);
    });

    it('is removed when the disk takes no other', async () => {
      put(makeCredential('first'));
      const running = await start();
      await until('the copy is written', copied);
      const open = fs.promises.open;
      const failing = mock.method(fs.promises, 'open', async (...args: Parameters<typeof open>) => {
        if (!String(args[0]).startsWith(join(directory, 'state'))) return open(...args);
        throw Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', errno: -28 });
      });
      syncBuiltinESMExports();
      try {
        put(makeCredential('second'));
        await running.refresh();
        await until('the copy goes', () => !existsSync(copyPath));
        assert.match(lines.at(-1) ?? '', /last good TLS certificate is not kept .*ENOSPC/);
      } finally {
        failing.mock.restore();
        syncBuiltinESMExports();
      }
    });

    it('of the last run stays when it is the same, with the rights of its owner alone', async () => {
      put(makeCredential('first'));
      await start();
      const { ino } = statSync(copyPath);
      chmodSync(copyPath, 0o644);
      await start();
      const { ino: same, mode } = statSync(copyPath);
      assert.deepEqual([same, mode & 0o777], [ino, 0o600]);
    });

    const unusable: Readonly<Record<string, readonly [RegExp, () => void]>> = {
      expired: [
        /its certificate expired on/,
        () => put(makeCredential('old', -400 * day), copyPath),
      ],
      damaged: [/no END line/, () => writeFileSync(copyPath, makePair('half').slice(0, -40))],
      'refused by OpenSSL': [
        /ee key too small/,
        () => {
          const { key, pem } = openssl.issue({
            key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
          });
          writeFileSync(copyPath, key + pem);
        },
      ],
      'a directory': [/no regular file/, () => mkdirSync(copyPath)],
    };
    for (const [what, [reason, make]] of Object.entries(unusable)) {
      it(`is not used when it is ${what}, and the log says why`, async () => {
        mkdirSync(join(directory, 'state'));
        make();
        assert.equal(nameOf(await start()), 'in memory');
        assert.match(lines[0] ?? '', /^copy of the last good TLS certificate is not used/);
        assert.match(lines[0] ?? '', reason);
      });
    }
  });

  it('is what root alone may read, once the server may', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    chmodSync(directory, 0o755);
    put(makeCredential('closed'));
    chmodSync(path, 0o600);
    process.seteuid?.(65534);
    try {
      const started = await start();
      assert.equal(started.fault, 'the file cannot be read (EACCES)');
    } finally {
      process.seteuid?.(0);
    }
    await identity?.refresh();
    assert.equal(identity && nameOf(identity), 'closed');
  });
});
