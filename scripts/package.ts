// npm run package [-- DIRECTORY]: makes the Debian package and the release archive, in release/ unless another directory is named.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeArchive } from './package/archive.ts';
import { makeDebianPackage } from './package/debian-package.ts';
import { releaseOf } from './package/release.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = resolve(process.argv[2] ?? `${root}/release`);
const release = releaseOf(root, process.env);
mkdirSync(directory, { recursive: true });
for (const make of [makeDebianPackage, makeArchive])
  process.stdout.write(`${make(root, release, directory)}\n`);
