// Makes the release archive, for devices without dpkg and for images: what is installed by hand stands in docs/how-to/install.md.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { manifest, type PackagedFile, packageName } from './contents.ts';
import type { Release } from './release.ts';
import { mustRun, withStagedFiles } from './staging.ts';

/** Of the clone, with everything in them but source maps. */
const folders = ['dist', 'docs', 'helpers', 'systemd'];
const pages = ['README.md', 'CHANGELOG.md', 'LICENSE'];
const programs = ['dist/bmc-certs.js', 'systemd/bmc-certs'];

/** @returns the path of the archive */
export function makeArchive(root: string, release: Release, directory: string): string {
  const name = `${packageName}-${release.version}`;
  const tar = join(directory, `${name}.tar`);
  withStagedFiles(archivedFiles(root, release, name), (staged) => {
    const owner = ['--owner=0', '--group=0', '--numeric-owner'];
    const same = ['--sort=name', `--mtime=@${release.time}`, '--format=gnu', ...owner];
    mustRun('tar', ['--create', '--file', tar, ...same, '--directory', staged, name]);
  });
  rmSync(`${tar}.gz`, { force: true });
  mustRun('gzip', ['-9', '--no-name', tar]);
  return `${tar}.gz`;
}

function archivedFiles(root: string, release: Release, name: string): PackagedFile[] {
  const paths = [...pages, ...folders.flatMap((folder) => filesBelow(root, folder))];
  const copied = paths.map((path) => ({
    path: `${name}/${path}`,
    content: readFileSync(join(root, path)),
    isProgram: programs.includes(path),
  }));
  return [{ path: `${name}/package.json`, content: manifest(release) }, ...copied];
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|\.map$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}
