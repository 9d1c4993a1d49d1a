import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SetupError } from '../core/setup-error.ts';
import { codeOf } from '../storage/io-errors.ts';
import { faultOfFile, kindOf } from '../storage/regular-file.ts';

const groupOrOthersWrite = 0o022;
const othersWrite = 0o002;
const sticky = 0o1000;

/**
 * Makes a directory of state for its owner alone, or makes sure of a directory that is there: no user but this
 * user (and root) may be able to change what is in it, now or later, and no link in it leads elsewhere.
 * @param uid the user whose directory it must be
 * @throws SetupError that names the fault and what to do
 */
export function openStateDirectory(path: string, uid = process.geteuid?.() ?? 0): void {
  makeOwnedDirectory(path, 'state directory', uid);
  for (const name of readdirSync(path)) refuseEntry(path, name, uid);
}

/** As `openStateDirectory`, without a look at what is in it. @param what how to call it in a sentence */
export function makeOwnedDirectory(
  path: string,
  what: string,
  uid = process.geteuid?.() ?? 0,
): void {
  try {
    makeParents(path);
    refuseOpenParents(path, what);
    // Exclusive: what is there already, a link included, is looked at
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if (cause instanceof SetupError) throw cause;
    // Another program may have made it in between
    if (!existsSync(path)) {
      const why = faultOfFile(cause);
      const end = why === undefined ? '' : `: ${why}`;
      throw new SetupError(`The ${what} ${path} cannot be made${end}.`, { cause });
    }
  }
  refuseDirectory(path, what, uid);
}

/** Node's own way (`recursive`) never ends in /proc, and says of a read-only file system that the path is absent. */
function makeParents(path: string): void {
  const parent = dirname(path);
  if (existsSync(parent)) return;
  makeParents(parent);
  try {
    mkdirSync(parent, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function refuseDirectory(path: string, what: string, uid: number): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink())
    throw new SetupError(`The ${what} ${path} is a symbolic link; name the directory itself.`);
  if (!found.isDirectory())
    throw new SetupError(
      `The ${what} ${path} is ${kindOf(found)}; name a directory, or remove it.`,
    );
  if (found.uid !== uid)
    throw new SetupError(
      `The ${what} ${path} belongs to the user ${found.uid} and not to ${uid}, who runs this program; run it as its owner, or choose a directory of your own.`,
    );
  refuseWritable(found, path, what);
}

function refuseEntry(directory: string, name: string, uid: number): void {
  const path = join(directory, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (found.isSymbolicLink() && !isGenerationLink(path))
    throw new SetupError(
      `${path} is a symbolic link, which a state directory must not have; remove it.`,
    );
  // What root left there can be trusted as root itself
  if (found.uid !== uid && found.uid !== 0)
    throw new SetupError(
      `${path} in the state directory belongs to the user ${found.uid} and not to ${uid}, who runs this program; remove it, or give it to that user: chown -R ${uid} ${path}`,
    );
  if (found.isDirectory()) refuseWritable(found, path, 'directory');
}

/** The manager itself makes a truststore a link, which switches between its generations, also after a crash. */
function isGenerationLink(path: string): boolean {
  const [, unfinished] = /^\.(.+)\.[0-9a-f]{12}\.new$/.exec(basename(path)) ?? [];
  const name = unfinished ?? basename(path);
  const [directory, generation, ...rest] = readlinkSync(path).split('/');
  const isOwn = directory === `${name}.generations` && rest.length === 0;
  return isOwn && /^\d+$/.test(generation ?? '');
}

function refuseWritable({ mode }: Stats, path: string, what: string): void {
  if ((mode & groupOrOthersWrite) === 0) return;
  throw new SetupError(
    `The ${what} ${path} can be written by ${mode & othersWrite ? 'every user' : 'its group'}; make sure that nothing strange is in it, and take that away: chmod go-w ${path}`,
  );
}

/** Where every user may write a directory above, every user could put another in the place of this directory. */
function refuseOpenParents(path: string, what: string): void {
  let parent = realpathSync(dirname(path));
  for (;;) {
    const { mode } = statSync(parent);
    if ((mode & othersWrite) !== 0 && (mode & sticky) === 0)
      throw new SetupError(
        `The ${what} ${path} can be replaced by every user, for all may write ${parent}; choose another place, or keep others from it: chmod o-w ${parent}`,
      );
    if (parent === dirname(parent)) return;
    parent = dirname(parent);
  }
}
