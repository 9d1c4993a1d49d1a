import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Looks at files from outside, however they are changed: in place, by rename, or by removal. */
export interface FileWatcher {
  /** Watches again when the directory was replaced, or could not be watched before. */
  renew(): void;
  close(): void;
}

/**
 * Follows one file. A directory that cannot be watched now is tried again at `renew`.
 * @param changed called at each event, also for half of a change; it may be called for nothing
 */
export function watchFile(path: string, changed: () => void): FileWatcher {
  const directory = dirname(path);
  const name = basename(path);
  let watcher: FSWatcher | undefined;
  let watched: number | undefined;

  const close = () => {
    watcher?.close();
    watcher = undefined;
  };
  const renew = () => {
    const inode = inodeOf(directory);
    if (watcher && inode === watched) return;
    close();
    watched = inode;
    try {
      // A watch must never keep a program alive that has nothing else to do
      watcher = watch(directory, { persistent: false }, (_event, file) => {
        if (file === null || file === name) changed();
      });
      watcher.on('error', close);
    } catch {
      // No such directory, or no more watches: what happens is seen when the files are next looked at
      watcher = undefined;
    }
  };
  renew();
  return { renew, close };
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}
