import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packagedFiles } from '../../scripts/package/contents.ts';
import { releaseOf } from '../../scripts/package/release.ts';
import { units } from '../../scripts/package/units.ts';
import { must } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { scratchDirectory } from '../storage/scratch.ts';
import { type MadeRelease, makeRelease } from './package.ts';

const scratch = scratchDirectory();

/** Files of the package that are not in a folder of many, with their modes. */
const installed: readonly (readonly [path: string, mode: string])[] = [
  ['/etc/bmc-certificate-manager/configuration.json', '-rw-r--r--'],
  ['/usr/bin/bmc-certs', '-rwxr-xr-x'],
  ['/usr/lib/bmc-certificate-manager/account-manager.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/bmc-certs.js', '-rwxr-xr-x'],
  ['/usr/lib/bmc-certificate-manager/bundle-updater.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/certificate-manager.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/cmp-agent.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/content-opener.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/csr-worker.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/package.json', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/redfish-server.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/gnoi-server.js', '-rw-r--r--'],
  ['/usr/lib/bmc-certificate-manager/netconf-server.js', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-account-manager.service', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-bundle.service', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-certificate-manager.service', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-cmp.service', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-redfish.service', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-gnoi.service', '-rw-r--r--'],
  ['/usr/lib/systemd/system/bmc-netconf.service', '-rw-r--r--'],
  ['/usr/lib/sysusers.d/bmc-certificate-manager.conf', '-rw-r--r--'],
  ['/usr/lib/tmpfiles.d/bmc-certificate-manager.conf', '-rw-r--r--'],
  ['/usr/share/bash-completion/completions/bmc-certs', '-rw-r--r--'],
  ['/usr/share/dbus-1/system-services/xyz.openbmc_project.Certs.Accounts.service', '-rw-r--r--'],
  ['/usr/share/dbus-1/system.d/bmc-certificate-manager.conf', '-rw-r--r--'],
  ['/usr/share/lintian/overrides/bmc-certificate-manager', '-rw-r--r--'],
  ['/usr/share/man/man1/bmc-certs.1.gz', '-rw-r--r--'],
  ['/usr/share/zsh/vendor-completions/_bmc-certs', '-rw-r--r--'],
];
const documentation = [
  'THIRD-PARTY-NOTICES.txt',
  'changelog.Debian.gz',
  'changelog.gz',
  'copyright',
  'how-to/install.md',
  'operations.md',
  'sbom.cdx.json',
  'security.md',
];
const doc = '/usr/share/doc/bmc-certificate-manager/';

describe('the Debian package', () => {
  let release: MadeRelease;
  let entries: Map<string, string>;
  let control: string;

  before(async () => {
    release = makeRelease();
    const list = await must('dpkg-deb', ['--contents', release.debianPackage]);
    const lines = list.trim().split('\n');
    entries = new Map(
      lines.map((line) => {
        const [mode = '', owner = '', , , , path = ''] = line.split(/\s+/);
        return [path.slice(1), `${mode} ${owner}`];
      }),
    );
    control = join(scratch(), 'control');
    await must('dpkg-deb', ['--control', release.debianPackage, control]);
  });
  after(() => release?.remove());

  const files = () => [...entries.keys()].filter((path) => !path.endsWith('/'));
  const controlFile = (name: string) => readFileSync(join(control, name), 'utf8');

  for (const [path, mode] of installed) {
    it(`installs ${path} as ${mode}, of root`, () => {
      assert.equal(entries.get(path), `${mode} root/root`);
    });
  }

  it('installs nothing else but documentation', () => {
    const expected = new Set(installed.map(([path]) => path));
    assert.deepEqual(
      files().filter((path) => !expected.has(path) && !path.startsWith(doc)),
      [],
    );
  });

  for (const name of documentation) {
    it(`has ${name} in its documentation`, () => {
      assert.equal(entries.get(doc + name), '-rw-r--r-- root/root');
    });
  }

  for (const unit of Object.keys(units)) {
    it(`has the programs and the pages that ${unit} names`, () => {
      const text = readFileSync(join(clone, 'systemd', unit), 'utf8');
      const pages = [...text.matchAll(/^Documentation=file:(\S+)$/gm)].map(([, path]) => path);
      const programs = [...text.matchAll(/\/usr\/lib\/bmc-certificate-manager\/\S+/g)].flat();
      assert.ok(pages.length > 0 && programs.length > 0);
      for (const path of [...pages, ...programs]) assert.ok(entries.has(path ?? ''), path);
    });
  }

  for (const [unit, state] of Object.entries(units)) {
    it(`knows that ${unit} is ${state}`, () => {
      const text = readFileSync(join(clone, 'systemd', unit), 'utf8');
      assert.equal(text.includes('\n[Install]\n'), state !== 'activated');
      const inScript = (name: string) => new RegExp(`^${name}='.*\\b${unit}\\b.*'$`, 'm');
      for (const script of ['postinst', 'prerm', 'postrm'])
        assert.match(controlFile(script), inScript('all'));
      assert.equal(inScript('enabled').test(controlFile('postinst')), state === 'enabled');
      assert.equal(inScript('disabled').test(controlFile('postinst')), state === 'disabled');
    });
  }

  it('leaves nothing of systemd/ out but what belongs to the native helper', () => {
    const files = packagedFiles(clone, releaseOf(clone, { SOURCE_DATE_EPOCH: '1' }));
    const contents = new Set(files.map(({ content }) => String(content)));
    const folder = join(clone, 'systemd');
    const there = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const left = there
      .map(({ name }) => name)
      .filter((name) => !contents.has(readFileSync(join(folder, name), 'utf8')));
    assert.deepEqual(left.sort(), [
      'bmc-redfish-password.socket',
      'bmc-redfish-password@.service',
      'bmc-redfish-users.conf',
    ]);
  });

  it('has the version of package.json, and no placeholder left', async () => {
    const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
    const field = await must('dpkg-deb', ['--field', release.debianPackage, 'Version']);
    assert.equal(field, `${version}-1\n`);
    for (const name of readdirSync(control)) assert.doesNotMatch(controlFile(name), /@[A-Z_]+@/);
  });

  it('asks before it replaces a configuration that was changed', () => {
    assert.equal(controlFile('conffiles'), '/etc/bmc-certificate-manager/configuration.json\n');
  });

  it('has a digest of each file', async () => {
    const target = scratch();
    await must('dpkg-deb', ['--extract', release.debianPackage, target]);
    const lines = controlFile('md5sums').trim().split('\n');
    assert.deepEqual(lines.map((line) => `/${line.slice(34)}`).sort(), files().sort());
    const check = `cd '${target}' && exec md5sum --check --quiet '${control}/md5sums'`;
    assert.equal(await must('sh', ['-c', check]), '');
  });

  it('has the same bytes each time, as the archive has', () => {
    const other = makeRelease();
    try {
      for (const kind of ['debianPackage', 'archive'] as const) {
        assert.ok(readFileSync(release[kind]).equals(readFileSync(other[kind])), kind);
      }
    } finally {
      other.remove();
    }
  });
});

describe('the release archive', () => {
  let release: MadeRelease;
  let directory: string;

  before(async () => {
    release = makeRelease('1.2.3');
    directory = scratch();
    await must('tar', ['--extract', '--file', release.archive, '--directory', directory]);
  });
  after(() => release?.remove());

  it('unpacks into a directory with name and version', () => {
    assert.deepEqual(readdirSync(directory), ['bmc-certificate-manager-1.2.3']);
  });

  it('has programs that run from there', async () => {
    const program = join(directory, 'bmc-certificate-manager-1.2.3/dist/bmc-certs.js');
    assert.match(await must(program, ['--version']), /\d+\.\d+\.\d+/);
    assert.match(await must('node', [program, '--help']), /^Usage/m);
  });

  it('says what its programs are, with the notices beside them', () => {
    const inside = join(directory, 'bmc-certificate-manager-1.2.3');
    const manifest = JSON.parse(readFileSync(join(inside, 'package.json'), 'utf8'));
    assert.deepEqual([manifest.version, manifest.type], ['1.2.3', 'commonjs']);
    const notices = readFileSync(join(clone, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8');
    assert.equal(readFileSync(join(inside, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8'), notices);
  });
});

describe('the version of a release', () => {
  const rows = [
    ['0.1.0', '0.1.0-1'],
    ['1.0.0-rc.1', '1.0.0~rc.1-1'],
  ] as const;
  for (const [version, debianVersion] of rows) {
    it(`${version} is ${debianVersion} for Debian`, () => {
      const release = releaseOf(clone, { SOURCE_DATE_EPOCH: '1' }, version);
      assert.equal(release.debianVersion, debianVersion);
    });
  }
});
