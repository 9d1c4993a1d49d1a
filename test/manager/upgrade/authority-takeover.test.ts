import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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
    assert.equal(await again.reserveIds(1), 3);
    const when = ['-attime', String(goodTime.getTime() / 1000)];
    openssl(['verify', ...when, '-no-CAfile', '-CApath', path, one.path, two.path]);
  });

  it('keeps its numbers at the next start', async () => {
    plainDirectory({ fileA: one.pem });
    await new AuthorityDirectory(path).load();
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(idsOf(authorities), [1]);
  });

  it('is taken over after a crash between the rename and the switch', async () => {
    plainDirectory({ fileA: one.pem });
    renameSync(path, `${path}.taken-over`);
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(pemOf(authorities), [one.pem]);
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
      const warn = (message: string) => told.push(message);
      const { authorities } = await new AuthorityDirectory(path, { most: 2, warn }).load();
      assert.deepEqual(pemOf(authorities), []);
      assert.deepEqual(told, withLink ? [] : ['the authorities of the truststore are gone']);
    });
  }

  it('does not come back where an earlier version noted that it was taken over', async () => {
    mkdirSync(`${path}.generations`, { recursive: true });
    mkdirSync(`${path}.taken-over`);
    writeFileSync(join(`${path}.taken-over`, 'fileA'), one.pem);
    writeFileSync(join(`${path}.generations`, 'taken-over'), 'authority.taken-over\n');
    const { authorities } = await new AuthorityDirectory(path).load();
    assert.deepEqual(pemOf(authorities), []);
    rmSync(path);
    plainDirectory({ fileB: two.pem });
    rmSync(`${path}.taken-over`, { recursive: true });
    assert.deepEqual(pemOf((await new AuthorityDirectory(path).load()).authorities), [two.pem]);
  });

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

    for (const [what, files, kept] of [
      ['empty', {}, 1],
      ['without a certificate', { notes: 'words' }, 2],
    ] as const) {
      it(`takes no authority away when it is ${what}`, async () => {
        plainDirectory(files);
        const { authorities } = await new AuthorityDirectory(path).load();
        assert.deepEqual(pemOf(authorities), [one.pem]);
        assert.deepEqual(idsOf(authorities), [1]);
        const aside = readdirSync(parent).filter((name) => name.includes('taken-over'));
        assert.equal(aside.length, kept);
      });
    }

    it('is taken over though the earlier one was thrown away since', async () => {
      rmSync(`${path}.taken-over`, { recursive: true });
      plainDirectory({ fileB: two.pem });
      const { authorities } = await new AuthorityDirectory(path).load();
      assert.deepEqual(pemOf(authorities), [two.pem]);
    });

    it('is kept aside with the newest others, and the oldest go with a word', async () => {
      const told: string[] = [];
      const warn = (_message: string, which: string) => told.push(which);
      for (const pem of [two.pem, one.pem, two.pem]) {
        plainDirectory({ fileB: pem });
        await new AuthorityDirectory(path, { most: 2, warn }).load();
        rmSync(path);
      }
      const aside = readdirSync(parent).filter((name) => name.includes('taken-over'));
      assert.deepEqual(aside.sort(), ['authority.taken-over-3', 'authority.taken-over-4']);
      assert.deepEqual(told, [`${path}.taken-over`, `${path}.taken-over-2`]);
    });
  });
});
