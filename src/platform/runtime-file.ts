import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { SetupError } from '../core/setup-error.ts';
import { faultOfFile } from '../storage/regular-file.ts';
import { tempName } from '../storage/temp-files.ts';

/**
 * Writes a file that need not outlive a reboot, such as one with a process id: beside, and then renamed, so that a link
 * or a FIFO in its place is replaced and never written to.
 * @throws SetupError that names the file
 */
export function writeRuntimeFile(path: string, text: string, mode = 0o600): void {
  const aside = tempName(path);
  try {
    writeFileSync(aside, text, { mode, flag: 'wx' });
    renameSync(aside, path);
  } catch (cause) {
    rmSync(aside, { force: true });
    throw cannotBeWritten(path, cause);
  }
}

export function cannotBeWritten(path: string, cause: unknown): SetupError {
  const why = faultOfFile(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new SetupError(`The file ${path} cannot be written: ${why}.`, { cause });
}
