import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { credentialFile } from '../../../src/manager/credential/credential-file.ts';
import { diskError, failsOnDisk, onDisk } from '../../fakes/moody-disk.ts';
import { openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa();
const leaf = tools.issue({ issuer: root });
const pair = {
  leaf: leaf.certificate,
  key: createPrivateKey(leaf.key),
  chain: [root.certificate],
};
const fileOf = (path: string, group: number | undefined) => credentialFile({ path, group });
const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('the file of a pair', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tools.directory, 'case-'));
    path = join(directory, 'https', 'server.pem');
  });

  it('holds the key, the leaf and the chain, as servers read it', async () => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    const text = readFileSync(path, 'utf8');
    assert.equal(text, await file.read());
    assert.equal(text, `${openssl(['pkey'], leaf.key)}${leaf.pem}${root.pem}`);
    assert.equal(
      openssl(['x509', '-noout', '-pubkey', '-in', path]),
      openssl(['pkey', '-pubout', '-in', path]),
    );
  });

  for (const code of ['EIO', 'EACCES', 'EMFILE']) {
    it(`is known for our own where the disk fails to read it once or twice: ${code}`, async () => {
      const file = fileOf(path, undefined);
      await file.write(pair);
      const text = await file.read();
      let left = 2;
      const heal = onDisk('open', (real) => async (...args) => {
        left -= 1;
        if (left >= 0) throw diskError(code);
        return real(...args);
      });
      assert.equal(await file.isOthers([text]).finally(heal), false);
      assert.ok(left < 0);
    });
  }

  it('may be that of others where nobody can read it', async () => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    const text = await file.read();
    const fail = (code: string) => onDisk('open', () => () => Promise.reject(diskError(code)));
    for (const code of ['EIO', 'EACCES']) {
      assert.equal(await file.isOthers([text]).finally(fail(code)), true, code);
    }
    await assert.rejects(file.isOthers([text]).finally(fail('EMFILE')), { code: 'EMFILE' });
  });

  it('is for the owner only without a group', async () => {
    await fileOf(path, undefined).write(pair);
    assert.equal(modeOf(path), 0o600);
    assert.equal(modeOf(join(directory, 'https')), 0o700);
  });

  it('is for its group with one, and so is its directory', async () => {
    const group = process.getgid?.() ?? 0;
    await fileOf(path, group).write(pair);
    assert.equal(modeOf(path), 0o640);
    assert.equal(modeOf(join(directory, 'https')), 0o750);
    assert.equal(statSync(path).gid, group);
  });

  it('closes a file that was open to everyone', async () => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    chmodSync(path, 0o666);
    await file.write(pair);
    assert.equal(modeOf(path), 0o600);
    assert.deepEqual(readdirSync(join(directory, 'https')), ['server.pem']);
  });

  it('is absent before it is written and after it is removed, however often', async () => {
    const file = fileOf(path, undefined);
    assert.equal(await file.read(), undefined);
    await file.write(pair);
    await file.remove();
    await file.remove();
    assert.equal(await file.read(), undefined);
  });

  it('goes aside with its content, and stays until a good one comes', async () => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    writeFileSync(path, 'garbage');
    const aside = await file.putAside();
    assert.deepEqual(aside, { to: `${path}.refused`, isMoved: false });
    assert.equal(readFileSync(path, 'utf8'), 'garbage');
    await file.write(pair);
    assert.equal(readFileSync(`${path}.refused`, 'utf8'), 'garbage');
    assert.equal(modeOf(`${path}.refused`), 0o600);
  });

  for (const [what, before] of [
    ['a file', (kept: string) => writeFileSync(kept, 'older')],
    ['no file', (kept: string) => mkdirSync(join(kept, 'in it'), { recursive: true })],
  ] as const) {
    it(`goes aside in place of what was kept before, though that is ${what}`, async () => {
      const file = fileOf(path, undefined);
      await file.write(pair);
      before(`${path}.refused`);
      writeFileSync(path, 'newer');
      await file.putAside();
      await file.remove();
      assert.deepEqual(readdirSync(dirname(path)), ['server.pem.refused']);
      assert.equal(readFileSync(`${path}.refused`, 'utf8'), 'newer');
    });
  }

  it('goes aside once, however many starts find it', async () => {
    const file = fileOf(path, undefined);
    await file.open();
    writeFileSync(path, 'garbage');
    const first = await file.putAside();
    assert.deepEqual(await file.putAside(), first);
    assert.equal(readdirSync(dirname(path)).length, 2);
  });

  it('is copied where the file system knows no second names, and stays', async (test) => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    writeFileSync(path, 'garbage', { mode: 0o644 });
    test.after(failsOnDisk('link', 'EPERM'));
    assert.deepEqual(await file.putAside(), { to: `${path}.refused`, isMoved: false });
    assert.equal(readFileSync(path, 'utf8'), 'garbage');
    assert.equal(readFileSync(`${path}.refused`, 'utf8'), 'garbage');
    assert.equal(modeOf(`${path}.refused`), 0o600);
  });

  it('stays where it is when the disk has no room for a second name', async (test) => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    writeFileSync(path, 'garbage');
    test.after(failsOnDisk('link', 'ENOSPC'));
    await assert.rejects(file.putAside(), { code: 'ENOSPC' });
    assert.deepEqual(readdirSync(dirname(path)), ['server.pem']);
  });

  it('is moved when it is a directory, and nothing is put aside where nothing is', async () => {
    const file = fileOf(path, undefined);
    mkdirSync(join(path, 'in it'), { recursive: true });
    assert.deepEqual(await file.putAside(), { to: `${path}.refused`, isMoved: true });
    assert.equal(await file.putAside(), undefined);
  });
});
