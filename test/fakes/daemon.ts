import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A running program as it is built. */
export interface DaemonProcess {
  readonly pid: number;
  /** Its log. */
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts one and waits until it serves.
 * @param name of its bundle
 * @param ready what it logs when it serves
 * @param as the command line that runs it as another user
 * @throws what it logged instead
 */
export async function startDaemon(
  name: string,
  ready: string,
  configuration: string,
  as: readonly string[] = [],
): Promise<DaemonProcess> {
  const program = fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url));
  const command = [...as, process.execPath, program, '--config', configuration];
  const child = spawn('/usr/bin/env', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk;
      if (output.includes(ready)) resolve();
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
