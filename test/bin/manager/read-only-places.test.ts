import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { quotedSource, typescriptProgram } from '../../fakes/typescript-program.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

const isolated = ['--user', '--map-root-user', '--mount', 'sh', '-c'];
const skip =
  spawnSync('unshare', [...isolated, 'mount -t tmpfs tmpfs /mnt']).status === 0
    ? false
    : 'nothing may be mounted here';

describe('files of the configuration on a read-only file system', { skip }, () => {
  const directory = scratchDirectory();

  /** Runs a text with `/mnt` read-only. @returns what it writes */
  const withReadOnly = (text: string) => {
    const sealed = `mkdir /mnt/there && mount -o remount,ro /mnt && exec "$@"`;
    const script = `mount -t tmpfs tmpfs /mnt && ${sealed}`;
    const args = [...isolated, script, 'sh', ...typescriptProgram(text)];
    const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout;
  };

  it('are told at a start with the line that the unit of the manager lacks, each directory once', () => {
    mkdirSync(join(directory(), 'endpoints'));
    const document = {
      stateDirectory: directory(),
      endpoints: [
        { type: 'server', name: 'https', path: '/mnt/there/https.pem' },
        { type: 'client', name: 'ldap', path: '/mnt/there/ldap.pem' },
        { type: 'authority', name: 'truststore', path: '/mnt/absent/authority' },
        { type: 'authority', name: 'own' },
      ],
    };
    const told = withReadOnly(`
      import { tellReadOnlyPlaces } from ${quotedSource('bin/manager/read-only-places.ts')};
      import { checkConfiguration } from ${quotedSource('platform/configuration.ts')};
      const text = ${JSON.stringify(JSON.stringify(document))};
      const lines = [];
      const error = (_message, fields) => lines.push(fields);
      tellReadOnlyPlaces(checkConfiguration(JSON.parse(text), { text, source: 'x' }), { error });
      console.log(JSON.stringify(lines));`);
    const [first, second, ...more] = JSON.parse(told);
    assert.equal(first.directory, '/mnt/there');
    assert.match(first.advice, /\[Service\] the line ReadWritePaths=\/mnt\/there, /);
    assert.equal(second.directory, '/mnt/absent');
    assert.match(second.advice, /mkdir -p \/mnt\/absent, .*ReadWritePaths=\/mnt\/absent, /);
    assert.deepEqual(more, []);
  });

  it('are refused with the code of the system, also where several directories would have to be made', () => {
    const code = withReadOnly(`
      import { makeDirectory } from ${quotedSource('storage/directory.ts')};
      import { ownerOnly } from ${quotedSource('storage/file-mode.ts')};
      await makeDirectory('/mnt/a/b', ownerOnly).catch(({ code }) => console.log(code));`);
    assert.equal(code.trim(), 'EROFS');
  });

  it('have a state directory there refused with the reason', () => {
    const reason = withReadOnly(`
      import { openStateDirectory } from ${quotedSource('platform/state-directory.ts')};
      try { openStateDirectory('/mnt/a/b'); } catch ({ message }) { console.log(message); }`);
    assert.match(reason, /^The state directory \/mnt\/a\/b cannot be made: .* is read-only for /);
  });
});
