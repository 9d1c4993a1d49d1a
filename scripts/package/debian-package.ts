// Makes the Debian package with dpkg-deb, from a tree that holds what contents.ts says.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackagedFile, packagedFiles, packageName } from './contents.ts';
import type { Release } from './release.ts';
import { mustRun, withStagedFiles } from './staging.ts';
import { unitsThatAre } from './units.ts';

/** @returns the path of the package */
export function makeDebianPackage(root: string, release: Release, directory: string): string {
  const files = packagedFiles(root, release);
  const path = join(directory, `${packageName}_${release.debianVersion}_all.deb`);
  withStagedFiles([...files, ...controlFiles(root, release, files)], (staged) => {
    const options = ['--root-owner-group', '-Zxz', '--threads-max=1', '--build', staged, path];
    mustRun('dpkg-deb', options, { SOURCE_DATE_EPOCH: String(release.time) });
  });
  return path;
}

function controlFiles(root: string, release: Release, files: readonly PackagedFile[]) {
  const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  const values: Record<string, string> = {
    VERSION: release.debianVersion,
    MAINTAINER: release.maintainer,
    INSTALLED_SIZE: String(Math.ceil(bytes / 1024)),
    ENABLED_UNITS: unitsThatAre('enabled'),
    DISABLED_UNITS: unitsThatAre('disabled'),
    ALL_UNITS: unitsThatAre('enabled', 'disabled', 'activated'),
  };
  const filledIn = (name: string) =>
    readFileSync(join(root, 'systemd/debian', name), 'utf8').replace(
      /@([A-Z_]+)@/g,
      (_all, key: string) => values[key] ?? '',
    );
  const scripts = ['postinst', 'prerm', 'postrm'].map((name) => ({
    path: `DEBIAN/${name}`,
    content: filledIn(name),
    isProgram: true,
  }));
  const configuration = files.filter(({ path }) => path.startsWith('etc/'));
  return [
    ...scripts,
    { path: 'DEBIAN/control', content: filledIn('control') },
    { path: 'DEBIAN/conffiles', content: linesOf(configuration.map(({ path }) => `/${path}`)) },
    { path: 'DEBIAN/md5sums', content: linesOf(files.map(checksumLine)) },
  ];
}

function checksumLine({ path, content }: PackagedFile): string {
  return `${createHash('md5').update(content).digest('hex')}  ${path}`;
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
