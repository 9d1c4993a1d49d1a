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
import { pairFile } from '../../../src/manager/store/pair-file.ts';
import { goodTime, openssl, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa();
const leaf = tools.issue({ issuer: root });
const pair = {
  leaf: leaf.certificate,
  key: createPrivateKey(leaf.key),
  chain: [root.certificate],
};
const fileOf = (path: string, group: number | undefined) => pairFile({ path, group, mostAside: 3 });
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

  it('goes aside with its content, under the date, and stays until a good one comes', async () => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    writeFileSync(path, 'garbage');
    const aside = await file.putAside(goodTime);
    assert.equal(aside, `${path}.refused-20260601T000000Z`);
    assert.equal(readFileSync(path, 'utf8'), 'garbage');
    await file.write(pair);
    assert.equal(readFileSync(aside, 'utf8'), 'garbage');
    assert.equal(modeOf(aside), 0o600);
  });

  it('goes aside and stays there under a date from before the clock was set', async () => {
    const file = fileOf(path, undefined);
    for (const year of ['2024', '2025', '2026', '1970']) {
      await file.write(pair);
      writeFileSync(path, year);
      await file.putAside(new Date(`${year}-01-01T00:00:00Z`));
    }
    await file.remove();
    const contents = readdirSync(join(directory, 'https')).map((name) =>
      readFileSync(join(directory, 'https', name), 'utf8'),
    );
    assert.deepEqual(contents.sort(), ['1970', '2025', '2026']);
  });

  it('is kept aside though something that is no file has a name of those', async () => {
    const file = fileOf(path, undefined);
    mkdirSync(`${path}.refused-10000101T000000Z`, { recursive: true });
    for (const year of ['1970', '2024', '2025', '2026']) {
      await file.remove();
      writeFileSync(path, year);
      await file.putAside(new Date(`${year}-01-01T00:00:00Z`));
    }
    assert.ok(readdirSync(dirname(path)).includes('server.pem.refused-20260101T000000Z'));
  });

  it('goes aside once, however many starts find it', async () => {
    const file = fileOf(path, undefined);
    await file.open();
    writeFileSync(path, 'garbage');
    const first = await file.putAside(new Date('2026-06-01T00:00:00Z'));
    const second = await file.putAside(new Date('2026-06-02T00:00:00Z'));
    assert.equal(second, first);
    assert.equal(readdirSync(dirname(path)).length, 2);
  });

  it('never goes over another that went aside in the same second', async () => {
    const file = fileOf(path, undefined);
    await file.write(pair);
    writeFileSync(path, 'first');
    await file.putAside(goodTime);
    await file.write(pair);
    writeFileSync(path, 'second');
    await file.putAside(goodTime);
    await file.remove();
    const contents = readdirSync(join(directory, 'https')).map((name) =>
      readFileSync(join(directory, 'https', name), 'utf8'),
    );
    assert.deepEqual(contents.sort(), ['first', 'second']);
  });
});
