// What the Debian package installs: where each file goes, and what it has.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeProgram } from '../../src/bin/bmc-certs.ts';
import { completionScript } from '../../src/operator/framework/completion.ts';
import type { Release } from './release.ts';
import { units } from './units.ts';

/** A file whose path is relative to the root of the device. */
export interface PackagedFile {
  readonly path: string;
  readonly content: string | Buffer;
  readonly isProgram?: boolean;
}

export const packageName = 'bmc-certificate-manager';

const lib = `usr/lib/${packageName}`;
const doc = `usr/share/doc/${packageName}`;
const systemdUnits = 'usr/lib/systemd/system';

/** Files of the clone that go to the device as they are. */
const copies: Readonly<Record<string, string>> = {
  [`etc/${packageName}/configuration.json`]: 'systemd/configuration.json',
  [`usr/lib/sysusers.d/${packageName}.conf`]: 'systemd/bmc-certificate-manager.sysusers',
  [`usr/lib/tmpfiles.d/${packageName}.conf`]: 'systemd/bmc-certificate-manager.tmpfiles',
  [`usr/share/dbus-1/system.d/${packageName}.conf`]: 'systemd/bmc-certificate-manager.conf',
  'usr/share/dbus-1/system-services/xyz.openbmc_project.Certs.Accounts.service':
    'systemd/bmc-account-manager.activation',
  [`usr/share/lintian/overrides/${packageName}`]: 'systemd/debian/lintian-overrides',
  [`${doc}/copyright`]: 'systemd/debian/copyright',
  [`${doc}/THIRD-PARTY-NOTICES.txt`]: 'dist/THIRD-PARTY-NOTICES.txt',
  [`${doc}/sbom.cdx.json`]: 'dist/sbom.cdx.json',
};

export function packagedFiles(root: string, release: Release): PackagedFile[] {
  const read = (path: string) => readFileSync(join(root, path));
  const copy = (path: string, source: string) => ({ path, content: read(source) });
  const program = makeProgram();
  const files: PackagedFile[] = [
    ...Object.entries(copies).map(([path, source]) => copy(path, source)),
    ...Object.keys(units).map((unit) => copy(`${systemdUnits}/${unit}`, `systemd/${unit}`)),
    ...namesIn(root, 'dist', '.js').map((name) => ({
      ...copy(`${lib}/${name}`, `dist/${name}`),
      isProgram: name === 'bmc-certs.js',
    })),
    ...namesIn(root, 'docs', '.md').map((name) => copy(`${doc}/${name}`, `docs/${name}`)),
    { path: `${lib}/package.json`, content: manifest(release) },
    { path: 'usr/bin/bmc-certs', content: read('systemd/bmc-certs'), isProgram: true },
    { path: 'usr/share/man/man1/bmc-certs.1.gz', content: compress(read('docs/bmc-certs.1')) },
    {
      path: 'usr/share/bash-completion/completions/bmc-certs',
      content: completionScript(program, 'bash'),
    },
    {
      path: 'usr/share/zsh/vendor-completions/_bmc-certs',
      content: completionScript(program, 'zsh'),
    },
    { path: `${doc}/changelog.gz`, content: compress(read('CHANGELOG.md')) },
    { path: `${doc}/changelog.Debian.gz`, content: compress(debianChangelog(release)) },
  ];
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Spares Node looking for one above it, and a guess at what the bundles beside it are. */
export function manifest({ version }: Release): string {
  const members = { name: packageName, version, type: 'commonjs', license: 'Apache-2.0' };
  return `${JSON.stringify(members, null, 2)}\n`;
}

function namesIn(root: string, folder: string, ending: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(ending));
}

/** As `gzip -9n`: the same bytes each time. */
function compress(content: string | Buffer): Buffer {
  return gzipSync(content, { level: 9 });
}

function debianChangelog({ debianVersion, maintainer, time }: Release): string {
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000');
  return `${packageName} (${debianVersion}) unstable; urgency=medium

  * changelog.gz says what changed.

 -- ${maintainer}  ${date}
`;
}
