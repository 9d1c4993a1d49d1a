import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { quotedSource, typescriptProgram } from '../../fakes/typescript-program.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

/** Runs a command where a script may mount what it likes. */
function mounted(script: string, command: readonly string[]) {
  const isolated = ['--user', '--map-root-user', '--mount', 'sh', '-ec', `${script}\nexec "$@"`];
  return spawnSync('unshare', [...isolated, 'sh', ...command], { encoding: 'utf8' });
}

const skip =
  mounted('mount -t tmpfs tmpfs /mnt', ['true']).status === 0
    ? false
    : 'nothing may be mounted here';
const manager = fileURLToPath(new URL('../../../dist/certificate-manager.js', import.meta.url));

describe('a truststore whose path is a mount point', { skip }, () => {
  const directory = scratchDirectory();
  const checked = (script: string, path = '/mnt/a place') => {
    const file = join(directory(), 'configuration.json');
    const endpoints = [{ type: 'authority', name: 'truststore', path, reload: [] }];
    writeFileSync(file, JSON.stringify({ stateDirectory: directory(), endpoints }, null, 2));
    const above = 'mount -t tmpfs tmpfs /mnt; mkdir "/mnt/a place"';
    const start = [process.execPath, manager, '--config', file, '--check'];
    const { status, stdout, stderr } = mounted(`${above}\n${script}`, start);
    return { status, said: stdout + stderr };
  };

  const mounts = {
    'another file system': 'mount -t tmpfs tmpfs "/mnt/a place"',
    'a directory of the same': 'mkdir /mnt/b; mount --bind /mnt/b "/mnt/a place"',
  };
  for (const [what, script] of Object.entries(mounts))
    it(`is refused at the start with the sentence that says so: ${what}`, () => {
      const { status, said } = checked(script);
      assert.equal(status, 1);
      assert.match(said, /\/endpoints\/0\/path \(line 7, .*names the mount point \/mnt\/a place, /);
      assert.match(said, /mount the directory above it instead/);
    });

  it('is none where only the directory above it is one', () => {
    const { status, said } = checked('');
    assert.equal(status, 0, said);
  });
});

describe('files of an endpoint', { skip }, () => {
  const change = quotedSource('manager/change.ts');
  /** @returns the lines that a program writes */
  const written = (script: string, text: string) => {
    const program = `import { asStorageError } from ${change};
      const told = ({ message }) => console.log(message);
      ${text}`;
    const { stdout, stderr, status } = mounted(script, typescriptProgram(program));
    assert.equal(status, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  };

  it('say that one is a mount point, change nothing and leave nothing', () => {
    const mount =
      'mount -t tmpfs tmpfs /mnt; mkdir /mnt/https; echo old > /mnt/https/server.pem; mount --bind /mnt/https/server.pem /mnt/https/server.pem';
    const lines = written(
      mount,
      `import { readdirSync, readFileSync } from 'node:fs';
      import { removeSynced, writeFileAtomic } from ${quotedSource('storage/atomic-file.ts')};
      import { ownerOnly } from ${quotedSource('storage/file-mode.ts')};
      const file = '/mnt/https/server.pem';
      await writeFileAtomic(file, 'new', ownerOnly).catch(asStorageError).catch(told);
      await removeSynced(file).catch(asStorageError).catch(told);
      console.log(readdirSync('/mnt/https').join(), readFileSync(file, 'utf8').trim());`,
    );
    const sentence =
      'it could not be written (EBUSY: it is a mount point, whose place nothing can take); nothing changed';
    assert.deepEqual(lines, [sentence, sentence, 'server.pem old']);
  });

  it('are read where everything is read-only, and refuse changes with that reason', () => {
    const [count, refusal, after] = written(
      'mount -t tmpfs tmpfs /mnt',
      `import { execFileSync } from 'node:child_process';
      import { AuthorityDirectory } from ${quotedSource('manager/truststore/authority-directory.ts')};
      import { generateCertificate } from ${quotedSource('manager/credential/generated-certificate.ts')};
      const usual = { validDays: 10, renewBeforeDays: 1, curve: 'prime256v1', organization: 'Test' };
      const host = { hostName: 'ca', addresses: [] };
      const { leaf: certificate } = generateCertificate(host, usual, Date.now());
      const before = new AuthorityDirectory('/mnt/authority');
      await before.load();
      await before.commit([{ id: 1, certificate }]);
      execFileSync('mount', ['-o', 'remount,ro', '/mnt']);
      const after = new AuthorityDirectory('/mnt/authority');
      const { authorities } = await after.load();
      console.log(authorities.length);
      await after.commit([...authorities, { id: 2, certificate }]).catch(asStorageError).catch(told);
      console.log((await new AuthorityDirectory('/mnt/authority').load()).authorities.length);`,
    );
    assert.deepEqual([count, after], ['1', '1']);
    assert.match(refusal ?? '', /^it could not be written \(EROFS/);
  });
});
