import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import {
  type Authority,
  AuthorityDirectory,
} from '../../../src/manager/truststore/authority-directory.ts';
import {
  caExtensions,
  goodTime,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const one = tools.issueCa({ subject: '/CN=One CA' });
const two = tools.issueCa({ subject: '/CN=Two CA' });

let parent: string;
let path: string;
beforeEach(() => {
  parent = mkdtempSync(join(tools.directory, 'case-'));
  path = join(parent, 'authority');
});

const pemOf = (list: readonly Authority[]) => list.map(({ certificate }) => certificate.pem);
const idsOf = (list: readonly Authority[]) => list.map(({ id }) => id);

describe('a plain directory of upstream', () => {
  /** Upstream's files for these certificates, and what else was in its directory. */
  function plainDirectory(files: Readonly<Record<string, string>>): void {
    mkdirSync(path);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  }

  it('is taken over with every certificate once, in the order of the names', async () => {
    plainDirectory({ fileB: one.pem, fileA: two.pem, fileC: one.pem, notes: 'none', empty: '' });
    const again = new AuthorityDirectory(path);
    const { authorities } = await again.load();
    assert.deepEqual(pemOf(authorities), [two.pem, one.pem]);
    assert.deepEqual(idsOf(authorities), [1, 2]);
    assert.equal(again.nextId, 3);
    const when = ['-attime', String(goodTime.getTime() / 1000)];
    openssl(['verify', ...when, '-no-CAfile', '-CApath', path, one.path, two.path]);
  });

  it('keeps its numbers at the next start', async () => {
    plainDirectory({ fileA: one.pem });
    await new AuthorityDirectory(path).load();
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(idsOf(authorities), [1]);
  });

  it('is taken over when it is reached through a link', async () => {
    mkdirSync(join(parent, 'elsewhere'), { recursive: true });
    writeFileSync(join(parent, 'elsewhere', 'fileA'), one.pem);
    symlinkSync('elsewhere', path);
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(pemOf(authorities), [one.pem]);
  });

  it('does not come back when the path is lost later', async () => {
    plainDirectory({ fileA: one.pem });
    const again = new AuthorityDirectory(path);
    await again.load();
    await again.commit([]);
    rmSync(path);
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(pemOf(authorities), []);
  });

  for (const [what, withLink] of [
    ['the generations are', false],
    ['the generations and the path are', true],
  ] as const) {
    it(`does not come back when ${what} lost later`, async () => {
      plainDirectory({ fileA: one.pem });
      const again = new AuthorityDirectory(path);
      await again.load();
      await again.commit([]);
      rmSync(`${path}.generations`, { recursive: true });
      if (withLink) rmSync(path);
      const told: string[] = [];
      const third = new AuthorityDirectory(path, (message) => told.push(message));
      assert.deepEqual(pemOf((await third.load()).authorities), []);
      assert.deepEqual(told, withLink ? [] : ['the authorities of the truststore are gone']);
    });
  }

  it('is taken over a second time when someone puts another one there', async () => {
    plainDirectory({ fileA: one.pem });
    await new AuthorityDirectory(path).load();
    rmSync(path);
    mkdirSync(path);
    writeFileSync(join(path, 'fileB'), two.pem);
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(pemOf(authorities), [two.pem]);
    assert.deepEqual(idsOf(authorities), [2]);
  });

  it('is taken over with certificates that only begin with a CA', async () => {
    const chain = tools.issue({ issuer: one, extensions: caExtensions, subject: '/CN=under' });
    plainDirectory({ fileA: `Subject: x\n${chain.pem}${one.pem}` });
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(pemOf(authorities), [chain.pem]);
  });

  describe('in place of the link to what was there', () => {
    beforeEach(async () => {
      plainDirectory({ fileA: one.pem });
      await new AuthorityDirectory(path).load();
      rmSync(path);
    });

    it('takes no authority away when it is empty, and goes', async () => {
      plainDirectory({});
      const { authorities } = await new AuthorityDirectory(path).load();
      assert.deepEqual([pemOf(authorities), idsOf(authorities)], [[one.pem], [1]]);
      assert.deepEqual(readdirSync(`${path}.taken-over`), ['fileA']);
    });

    it('takes no authority away when it is without a certificate, and is kept aside', async () => {
      plainDirectory({ notes: 'words' });
      const told: string[] = [];
      const again = new AuthorityDirectory(path, (message) => told.push(message));
      const { authorities } = await again.load();
      assert.deepEqual([pemOf(authorities), idsOf(authorities)], [[one.pem], [1]]);
      assert.deepEqual(readdirSync(`${path}.taken-over`), ['notes']);
      assert.deepEqual(told, ['what was in place of the truststore put aside']);
    });
  });

  describe('in a generation of ours, after a time in which upstream ran again', () => {
    const atUpstream = (files: Readonly<Record<string, string>>) => {
      for (const name of readdirSync(path)) rmSync(join(path, name));
      for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    };

    it('is taken over with what it has now', async () => {
      plainDirectory({ fileA: one.pem });
      await new AuthorityDirectory(path).load();
      atUpstream({ fileB: two.pem, trust_bundle: one.pem + two.pem });
      const { authorities } = await new AuthorityDirectory(path).load();
      assert.deepEqual([pemOf(authorities), idsOf(authorities)], [[two.pem], [2]]);
      assert.ok(!readdirSync(path).includes('fileB'));
    });

    it('is not what a crash left of the first or the last authority', async () => {
      await new AuthorityDirectory(path).load();
      atUpstream({ '.1.pem.new': one.pem, '.trust_bundle.new': one.pem, trust_bundle: one.pem });
      assert.deepEqual((await new AuthorityDirectory(path).load()).authorities, []);
      assert.deepEqual(readdirSync(path), []);
    });
  });
});
