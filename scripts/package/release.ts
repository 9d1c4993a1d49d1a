// What is said of a release in its package and its archive.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Release {
  /** As in package.json. */
  readonly version: string;
  readonly debianVersion: string;
  /** Of every file, in seconds since 1970: the same sources make the same bytes. */
  readonly time: number;
  readonly maintainer: string;
}

/** @param environment with SOURCE_DATE_EPOCH where there is no Git, and DEBFULLNAME and DEBEMAIL as Debian's tools know them */
export function releaseOf(
  root: string,
  environment: NodeJS.ProcessEnv,
  version = versionOf(root),
): Release {
  const { DEBFULLNAME = 'Maintainers', DEBEMAIL = 'maintainers@example.com' } = environment;
  return {
    version,
    // A version for trial comes before the version that it tries
    debianVersion: `${version.replace('-', '~')}-1`,
    time: Number(environment.SOURCE_DATE_EPOCH ?? timeOfLastCommit(root)),
    maintainer: `${DEBFULLNAME} <${DEBEMAIL}>`,
  };
}

function versionOf(root: string): string {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}

function timeOfLastCommit(root: string): string {
  const { status, stdout } = spawnSync('git', ['-C', root, 'log', '-1', '--format=%ct']);
  if (status === 0) return String(stdout).trim();
  throw new Error('Git does not know the time of the last commit: set SOURCE_DATE_EPOCH to it');
}
