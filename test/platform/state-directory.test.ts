import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeOwnedDirectory, openStateDirectory } from '../../src/platform/state-directory.ts';
import { scratchDirectory } from '../storage/scratch.ts';

const isRoot = process.getuid?.() === 0;

describe('a state directory', () => {
  const directory = scratchDirectory();
  const state = () => join(directory(), 'state');
  const make = (mode = 0o700) => {
    mkdirSync(state());
    chmodSync(state(), mode);
  };

  it('is made for its owner alone, also below a directory that everybody can write', () => {
    const shared = join(directory(), 'tmp');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const path = join(shared, 'deep', 'state');
    openStateDirectory(path);
    openStateDirectory(path);
    for (const one of [path, join(shared, 'deep')])
      assert.equal(statSync(one).mode & 0o777, 0o700, one);
  });

  it('is used as it is when nobody else can write it', () => {
    make(0o755);
    mkdirSync(join(state(), 'run'));
    writeFileSync(join(state(), 'accounts.json'), '{}');
    // As the manager makes a truststore
    mkdirSync(join(state(), 'authority.generations', '12'), { recursive: true });
    symlinkSync('authority.generations/12', join(state(), 'authority'));
    // What a power cut left
    symlinkSync('authority.generations/13', join(state(), '.authority.0123456789ab.new'));
    openStateDirectory(state());
  });

  const faults: readonly [string, () => void, RegExp][] = [
    [
      'is a link',
      () => {
        mkdirSync(join(directory(), 'real'));
        symlinkSync(join(directory(), 'real'), state());
      },
      /^The state directory \S+\/state is a symbolic link; name the directory itself\.$/,
    ],
    [
      'is a link that leads nowhere',
      () => symlinkSync(join(directory(), 'absent'), state()),
      /is a symbolic link; name/,
    ],
    ['is a file', () => writeFileSync(state(), ''), /is a regular file; name a directory/],
    ['is a FIFO', () => void spawnSync('mkfifo', [state()]), /is a FIFO; name a directory/],
    ['can be written by everybody', () => make(0o777), /by every user; .*: chmod go-w \S+\/state$/],
    ['can be written by its group', () => make(0o770), /by its group; .*: chmod go-w \S+\/state$/],
    [
      'can be replaced by everybody',
      () => {
        make();
        chmodSync(directory(), 0o777);
      },
      /can be replaced by every user, for all may write \S+; .*: chmod o-w /,
    ],
    [
      'has a link in place of a directory',
      () => {
        make();
        symlinkSync('/tmp', join(state(), 'run'));
      },
      /\/state\/run is a symbolic link, which a state directory must not have; remove it\.$/,
    ],
    [
      'has a link in place of a file',
      () => {
        make();
        symlinkSync('/etc/passwd', join(state(), 'accounts.json'));
      },
      /\/state\/accounts\.json is a symbolic link/,
    ],
    [
      'has a link that only resembles that of a truststore',
      () => {
        make();
        symlinkSync('../authority.generations/1', join(state(), 'authority'));
      },
      /\/state\/authority is a symbolic link/,
    ],
    [
      'has a directory that everybody can write',
      () => {
        make();
        mkdirSync(join(state(), 'run'));
        chmodSync(join(state(), 'run'), 0o777);
      },
      /The directory \S+\/state\/run can be written by every user/,
    ],
  ];
  for (const [what, prepare, sentence] of faults) {
    it(`is refused when it ${what}`, () => {
      prepare();
      assert.throws(() => openStateDirectory(state()), { name: 'SetupError', message: sentence });
      assert.ok(!existsSync(join(directory(), 'absent')));
    });
  }

  it('is refused when it belongs to another user, to root as well', { skip: !isRoot }, () => {
    make();
    chownSync(state(), 65534, 65534);
    assert.throws(() => openStateDirectory(state()), /belongs to the user 65534 and not to 0/);
    chownSync(state(), 0, 0);
    writeFileSync(join(state(), 'accounts.json'), '{}');
    chownSync(join(state(), 'accounts.json'), 65534, 65534);
    assert.throws(() => openStateDirectory(state()), /accounts\.json .* chown -R 0 /);
    chownSync(state(), 65534, 65534);
    openStateDirectory(state(), 65534);
  });

  it('is refused at once where no directory can be made', () => {
    const path = '/proc/absent/state';
    assert.throws(() => openStateDirectory(path), {
      message: /^The state directory .* cannot be /,
    });
  });

  it('is refused before anything is written through a link', () => {
    const elsewhere = join(directory(), 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, state());
    assert.throws(() => makeOwnedDirectory(state(), 'runtime directory'), /runtime directory/);
    assert.deepEqual(readdirSync(elsewhere), []);
  });
});
