import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { must } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { type MadeRelease, makeRelease } from './package.ts';

const list = ['-C', clone, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
const names = (await must('git', list)).split('\0').filter((name) => name !== '');
const isShellScript = (name: string) => {
  const path = join(clone, name);
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isFile() === true && /^#!.*\b(ba|da)?sh\b/.test(readFileSync(path, 'utf8'));
};
const scripts = names.filter(isShellScript);

describe('the shell scripts of the repository', () => {
  it('are found', () => {
    for (const name of ['.ci/run', 'systemd/bmc-certs', 'systemd/debian/postinst'])
      assert.ok(scripts.includes(name), name);
  });

  for (const name of scripts) {
    it(`${name} gets no warning of shellcheck`, async () => {
      assert.equal(await must('shellcheck', [join(clone, name)]), '');
    });
  }
});

describe('the Debian package', () => {
  let release: MadeRelease;
  before(() => {
    release = makeRelease();
  });
  after(() => release?.remove());

  it('gets no error and no warning of lintian that its overrides do not explain', async () => {
    const strict = ['--allow-root', '--fail-on', 'error,warning'];
    assert.equal(await must('lintian', [...strict, release.debianPackage]), '');
  });
});
