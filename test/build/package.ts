import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeArchive } from '../../scripts/package/archive.ts';
import { makeDebianPackage } from '../../scripts/package/debian-package.ts';
import { releaseOf } from '../../scripts/package/release.ts';
import { clone } from '../e2e/stack.ts';

/** What `npm run package` makes, in a directory of its own. */
export interface MadeRelease {
  readonly debianPackage: string;
  readonly archive: string;
  remove(): void;
}

/** @param version another one than that of package.json */
export function makeRelease(version?: string): MadeRelease {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-release-'));
  const release = releaseOf(clone, { SOURCE_DATE_EPOCH: '1700000000' }, version);
  return {
    debianPackage: makeDebianPackage(clone, release, directory),
    archive: makeArchive(clone, release, directory),
    remove: () => rmSync(directory, { recursive: true }),
  };
}
