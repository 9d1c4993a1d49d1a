import type { Log } from '../core/log.ts';
import { keepMemoryOutOfCoreDumps } from './core-dumps.ts';

/** What a program tells the one that started it, when it was started with a channel for that. */
export type ProgramMessage =
  | { readonly ready: Readonly<Record<string, string | number>> }
  | { readonly fatal: string };

/** Reports that the program serves. */
export function announceReady(details: Readonly<Record<string, string | number>>): void {
  tellParent({ ready: details });
}

/**
 * Runs a program: `start` sets everything up and answers how to stop it. What it is given ends the
 * program like a failure, for what can only go wrong later. SIGTERM, SIGINT and the end
 * of the parent that holds the channel stop it with status 0, SIGHUP changes nothing; a failure to start, or an error that
 * nobody caught, ends it with status 1 and one line in the log.
 */
export async function runProgram(
  log: Log,
  start: (fail: (error: Error) => void) => Promise<() => Promise<void>>,
): Promise<void> {
  keepMemoryOutOfCoreDumps();
  const fail = (what: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    log.error(what, { reason });
    tellParent({ fatal: reason });
    // The channel needs a moment to carry the last message
    setTimeout(() => process.exit(1), 50);
  };
  process.on('uncaughtException', fail('unexpected error'));
  process.on('unhandledRejection', fail('unexpected error'));
  let stop = async () => undefined as unknown;
  let stopping = false;
  const end = () => {
    if (stopping) return;
    stopping = true;
    stop().then(() => process.exit(0), fail('error while stopping'));
  };
  // From the first moment: whoever ends a program that is still starting must not see a failure
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // Files are followed as they change; the signal must only not end the process
  process.on('SIGHUP', () => log.info('reload asked for'));
  process.on('disconnect', end);
  // The parent may have been killed before anybody listened
  if (process.send && !process.connected) end();
  try {
    stop = await start(fail('cannot go on'));
  } catch (error) {
    if (!stopping) fail('cannot start')(error);
  }
}

function tellParent(message: ProgramMessage): void {
  if (process.connected) process.send?.(message);
}
