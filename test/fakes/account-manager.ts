import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/account-manager.js', import.meta.url));

/** A running account-manager as it is built. */
export interface AccountManagerProcess {
  readonly pid: number;
  /** Its log. */
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts it and waits until it serves.
 * @param as the command line that runs it as another user
 * @throws what it logged instead
 */
export async function startAccountManager(
  configuration: string,
  as: readonly string[] = [],
): Promise<AccountManagerProcess> {
  const command = [...as, process.execPath, program, '--config', configuration];
  const child = spawn('/usr/bin/env', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk;
      if (output.includes('account manager ready')) resolve();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    void ended.then(() => reject(new Error(`it ended: ${output}`)));
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
