import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Whether something is mounted at a path itself, whose place nothing can take then. No where the system does not tell. */
export function isMountPoint(path: string): boolean {
  try {
    const own = join(realpathSync(dirname(path)), basename(path));
    // proc_pid_mountinfo(5): the fifth field, with blanks and backslashes in octal
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return mounts.some((line) => unescaped(line.split(' ')[4] ?? '') === own);
  } catch {
    return false;
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
