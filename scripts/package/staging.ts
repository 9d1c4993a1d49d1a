// Files in a directory of their own for the program that packs them.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PackagedFile } from './contents.ts';

/** Modes do not depend on the umask of the user who builds. */
export function withStagedFiles(
  files: readonly PackagedFile[],
  pack: (directory: string) => void,
): void {
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-package-'));
  const directory = join(scratch, 'root');
  const umask = process.umask(0o022);
  try {
    for (const { path, content, isProgram = false } of files) {
      const target = join(directory, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
      chmodSync(target, isProgram ? 0o755 : 0o644);
    }
    pack(directory);
  } finally {
    process.umask(umask);
    rmSync(scratch, { recursive: true });
  }
}

/** @throws what the program wrote, when it does not end with 0 */
export function mustRun(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): void {
  const env = { ...process.env, ...environment };
  const { status, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${error?.message ?? stderr}`);
}
