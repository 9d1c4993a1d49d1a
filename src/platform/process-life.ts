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
 * program like a failure, for what can only go wrong later; and a way to say what SIGHUP asks for, which never rejects.
 * SIGTERM, SIGINT and the end of the parent that holds the channel stop it with status 0; a failure to start, or an error
 * that was not caught, ends it with status 1 and one line in the log.
 */
export async function runProgram(
  log: Log,
  start: (
    fail: (error: Error) => void,
    onReload: (reload: () => Promise<void>) => void,
  ) => Promise<() => Promise<void>>,
): Promise<void> {
  keepMemoryOutOfCoreDumps();
  const fail = (what: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    log.error(what, { reason });
    tellParent({ fatal: reason });
    // The channel needs a moment to carry the last message
    setTimeout(() => process.exit(1), 50);
  };
  // Node would write them itself, in lines that are not of the log
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn('warning of Node', { name, message }));
  process.on('uncaughtException', fail('unexpected error'));
  process.on('unhandledRejection', fail('unexpected error'));
  let stop = async () => undefined as unknown;
  let stopping = false;
  const end = () => {
    if (stopping) return;
    stopping = true;
    stop().then(() => process.exit(0), fail('error while stopping'));
  };
  // From the first moment: a program that is ended while it starts must not report a failure
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  const reloads = reloadRequests();
  process.on('SIGHUP', () => {
    log.info('reload asked for');
    reloads.ask();
  });
  process.on('disconnect', end);
  // The parent may have been killed before this listener was there
  if (process.send && !process.connected) end();
  try {
    stop = await start(fail('cannot go on'), reloads.serve);
  } catch (error) {
    if (!stopping) fail('cannot start')(error);
  }
}

/** Joins the signals that come before the program can reload, and those that come while it does. */
function reloadRequests() {
  let reload: (() => Promise<void>) | undefined;
  let isAsked = false;
  let isReloading = false;
  const work = async () => {
    if (isReloading || !reload) return;
    isReloading = true;
    while (isAsked) {
      isAsked = false;
      await reload();
    }
    isReloading = false;
  };
  return {
    ask() {
      isAsked = true;
      void work();
    },
    serve(how: () => Promise<void>) {
      reload = how;
      void work();
    },
  };
}

function tellParent(message: ProgramMessage): void {
  if (process.connected) process.send?.(message);
}
