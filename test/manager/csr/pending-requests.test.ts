import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { makeRequestFiles } from '../../../src/manager/csr/make-request-files.ts';
import { PendingRequests } from '../../../src/manager/csr/pending-requests.ts';
import { planRequest } from '../../../src/manager/csr/plan.ts';
import { exportPrivateKey, publicKeyHash, publicKeyInfo } from '../../../src/x509/keys.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { refusal } from '../../fakes/refusal.ts';

const root = mkdtempSync(join(tmpdir(), 'pending-'));
after(() => rmSync(root, { recursive: true }));

const plan = planRequest(csrParameters({ CommonName: 'bmc' }), 'client');
const day = (number: number) => new Date(Date.UTC(2026, 5, number));
const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('pending requests', () => {
  let path: string;
  let pending: PendingRequests;
  beforeEach(() => {
    path = join(mkdtempSync(join(root, 'case-')), 'server.pem.requests');
    pending = new PendingRequests(path, 3);
  });

  const add = async (now: Date): Promise<string> => {
    const directory = await pending.prepare();
    return (await pending.adopt(directory, await makeRequestFiles({ directory, plan }), now)).id;
  };
  const ids = async () => (await pending.list()).map(({ id }) => id);

  it('are none at first, and no directory is made for none', async () => {
    await pending.open();
    assert.deepEqual(await pending.list(), []);
    assert.equal(await pending.isEmpty(), true);
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  it('can be several at a time, each with a key of its own', async () => {
    const made = [await add(day(2)), await add(day(1)), await add(day(3))];
    assert.equal(await pending.isEmpty(), false);
    assert.deepEqual(
      await ids(),
      made,
      'in the order in which they were made, whatever the clock said',
    );
    for (const id of made) {
      const key = await pending.find(id);
      assert.ok(key);
      assert.equal(publicKeyHash(publicKeyInfo(createPublicKey(key))), id);
    }
  });

  for (const damage of [
    '',
    'no PEM',
    '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  ]) {
    it(`blame the disk for a key that is ${JSON.stringify(damage.slice(0, 12))}`, async () => {
      const id = await add(day(1));
      writeFileSync(join(path, id, 'key.pem'), damage);
      await assert.rejects(pending.find(id), refusal('storage'));
    });
  }

  it('are found again after a restart', async () => {
    const id = await add(day(1));
    const again = new PendingRequests(path, 3);
    await again.open();
    assert.deepEqual(
      (await again.list()).map(({ id, created }) => [id, created]),
      [[id, day(1)]],
    );
    assert.ok(await again.find(id));
  });

  it('are for the owner only', async () => {
    const umask = process.umask(0);
    const id = await add(day(1)).finally(() => process.umask(umask));
    const directory = join(path, id);
    for (const one of [path, directory]) assert.equal(modeOf(one), 0o700);
    const files = readdirSync(directory).sort();
    assert.deepEqual(files, ['created', 'key.pem', 'request.pem']);
    for (const file of files) assert.equal(modeOf(join(directory, file)), 0o600);
  });

  it('are no more than the limit: the oldest goes when a new one is made', async () => {
    const made = [await add(day(1)), await add(day(2)), await add(day(3)), await add(day(4))];
    assert.deepEqual(await ids(), made.slice(1));
    assert.equal(await pending.find(made[0] ?? ''), undefined);
    assert.deepEqual(readdirSync(path).sort(), made.slice(1).sort());
  });

  it('never lose the one that was just made, even with a clock at 1970', async () => {
    for (const number of [1, 2, 3]) await add(day(number));
    const newest = await add(new Date(5000));
    assert.ok(await pending.find(newest));
    assert.equal(readdirSync(path).length, 3);
  });

  it('stay when their keys may not be read at the moment', async () => {
    const id = await add(day(1));
    const key = join(path, id, 'key.pem');
    renameSync(key, join(path, 'kept'));
    mkdirSync(key);
    await pending.prune();
    assert.deepEqual(await ids(), []);
    rmSync(key, { recursive: true });
    renameSync(join(path, 'kept'), key);
    assert.deepEqual(await ids(), [id]);
  });

  it('are given up when their keys are gone', async () => {
    const id = await add(day(1));
    rmSync(join(path, id, 'key.pem'));
    await pending.prune();
    assert.deepEqual(readdirSync(path), []);
  });

  it('are gone with their directory when a worker failed', async () => {
    const directory = await pending.prepare();
    writeFileSync(join(directory, 'key.pem'), 'half a key');
    await pending.discard(directory);
    assert.deepEqual(readdirSync(path), []);
  });

  it('are rid of a worker that could not be cleared away in time', async () => {
    const abandoned = join(path, '.0123456789abcdef');
    const at = await pending.prepare();
    mkdirSync(abandoned);
    writeFileSync(join(abandoned, 'key.pem'), 'half a key');
    await pending.prune();
    assert.deepEqual(readdirSync(path), [basename(at)]);
    await pending.discard(at);
    assert.deepEqual(readdirSync(path), []);
  });

  it('are not those that a worker is still at', async () => {
    await pending.prepare();
    assert.deepEqual(await pending.list(), []);
    assert.equal(await pending.isEmpty(), true);
  });

  it('lose what was unfinished at a start, and keep the rest', async () => {
    const id = await add(day(1));
    await makeRequestFiles({ directory: await pending.prepare(), plan });
    await pending.prepare();
    for (const name of ['key.pem', 'request.pem', 'created'])
      writeFileSync(join(path, id, `.${name}.0123456789ab.new`), 'half of it');
    await new PendingRequests(path, 3).open();
    assert.deepEqual(readdirSync(path), [id]);
    assert.equal(readdirSync(join(path, id)).length, 3);
  });

  it('lose nothing that a worker is at when they are opened again', async () => {
    const directory = await pending.prepare();
    await pending.open();
    const id = await makeRequestFiles({ directory, plan });
    await pending.adopt(directory, id, day(1));
    assert.deepEqual(await ids(), [id]);
  });

  it('are not found by anything but a hash', async () => {
    await add(day(1));
    mkdirSync(join(path, '..', 'other'));
    writeFileSync(join(path, '..', 'other', 'key.pem'), 'x');
    for (const id of ['', '.', '../other', 'x'.repeat(64), 'A'.repeat(64)]) {
      assert.equal(await pending.find(id), undefined);
    }
  });

  it('leave alone what is no request, and whatever a link leads to', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'bmc-elsewhere-'));
    for (const name of ['.profile', 'notes', 'b'.repeat(63)])
      writeFileSync(join(elsewhere, name), 'x');
    rmSync(path, { recursive: true, force: true });
    symlinkSync(elsewhere, path);
    const linked = new PendingRequests(path, 1);
    await linked.open();
    await linked.prune();
    await assert.rejects(linked.prepare(), { code: 'storage' });
    assert.equal(readdirSync(elsewhere).length, 3);
    rmSync(path);
    renameSync(elsewhere, path);
    await linked.open();
    await linked.prune();
    assert.equal(readdirSync(path).length, 3);
  });

  it('are listed without one whose files are damaged', async () => {
    const [damaged, good] = [await add(day(1)), await add(day(2))];
    rmSync(join(path, damaged, 'key.pem'));
    assert.deepEqual(await ids(), [good]);
  });

  it('are pruned of one whose files are damaged, in the end', async () => {
    const damaged = await add(day(1));
    rmSync(join(path, damaged, 'created'));
    for (const number of [2, 3, 4, 5]) await add(day(number));
    assert.ok(!readdirSync(path).includes(damaged));
  });

  it('never take each other away while they are made at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      pending = new PendingRequests(join(root, `at-once-${round}`), 1);
      const all = await Promise.all([add(day(1)), add(day(1)), add(day(1))]);
      const left = await ids();
      assert.equal(left.length, 1, `of ${all.length} there are ${left.length} left`);
    }
  });

  describe('for a key that has one', () => {
    const renewed =
      '-----BEGIN CERTIFICATE REQUEST-----\nMAo=\n-----END CERTIFICATE REQUEST-----\n';
    const keep = async (id: string, now: Date) => {
      const key = readFileSync(join(path, id, 'key.pem'), 'utf8');
      await pending.keep(id, key, renewed, now);
    };

    it('are the newest, made today', async () => {
      const old = await add(day(1));
      const others = [await add(day(20)), await add(day(20))];
      await keep(old, day(29));
      const last = await add(day(35));
      assert.deepEqual(await ids(), [others[1], old, last]);
      const again = new PendingRequests(path, 3);
      assert.deepEqual((await again.list())[1], { id: old, pem: renewed, created: day(29) });
    });

    for (const [what, damage] of [
      ['empty', (file: string) => writeFileSync(file, '')],
      ['missing', (file: string) => rmSync(file)],
      ['that of another request', (file: string, other: string) => writeFileSync(file, other)],
    ] as const) {
      it(`have that key, though the one that was kept is ${what}`, async () => {
        const [id, other] = [await add(day(1)), await add(day(1))];
        const key = await pending.find(id);
        assert.ok(key);
        damage(join(path, id, 'key.pem'), readFileSync(join(path, other, 'key.pem'), 'utf8'));
        await pending.keep(id, exportPrivateKey(key), renewed, day(2));
        const found = await pending.find(id);
        assert.ok(found?.equals(key));
      });
    }

    it('change not at all when that cannot be written', async () => {
      const id = await add(day(1));
      const before = await pending.list();
      mkdirSync(join(path, 'elsewhere'));
      renameSync(join(path, id, 'created'), join(path, 'elsewhere', 'created'));
      mkdirSync(join(path, id, 'created'));
      await assert.rejects(keep(id, day(9)), { code: 'EISDIR' });
      rmSync(join(path, id, 'created'), { recursive: true });
      renameSync(join(path, 'elsewhere', 'created'), join(path, id, 'created'));
      const again = new PendingRequests(path, 3);
      assert.deepEqual(await again.list(), before);
    });
  });

  describe('of which the disk cannot read one', () => {
    let unreadable = '';
    let code = 'EIO';
    let undo: () => void;
    beforeEach(() => {
      code = 'EIO';
      unreadable = '';
      undo = onDisk('open', (real) => (which, flags, mode) => {
        const isBad = unreadable !== '' && String(which) === unreadable;
        return isBad ? Promise.reject(diskError(code)) : real(which, flags, mode);
      });
    });
    afterEach(() => undo());

    for (const name of ['key.pem', 'request.pem', 'created']) {
      it(`are made and listed all the same: ${name}`, async () => {
        const [bad, good] = [await add(day(1)), await add(day(2))];
        unreadable = join(path, bad, name);
        const next = await add(day(3));
        assert.deepEqual(await ids(), [good, next]);
        // It would be too many, and too old
        await add(day(3));
        await add(day(40));
        await pending.prune();
        assert.ok(readdirSync(path).includes(bad), 'what cannot be read is not given up');
        unreadable = '';
        assert.ok((await ids()).includes(bad));
      });
    }

    it('are not listed as if it were all of them when the program can read nothing now', async () => {
      const id = await add(day(1));
      unreadable = join(path, id, 'key.pem');
      code = 'EMFILE';
      await assert.rejects(pending.list(), { code: 'EMFILE' });
      await assert.rejects(pending.prune(), { code: 'EMFILE' });
      unreadable = '';
      assert.deepEqual(await ids(), [id]);
    });
  });
});
