import { createRequire } from 'node:module';

/**
 * SIGUSR1 makes Node open its debugger on a TCP port, where every local user may read the memory of the
 * process and run code in it. Each program imports this module first: from then on the signal does nothing.
 */
process.on('SIGUSR1', () => undefined);
closeDebugger();
// Node may still be at a signal that arrived before the listener
setImmediate(closeDebugger);

/**
 * The option for a Node process that is started, for the time before its program runs: an address of
 * documentation (RFC 5737) belongs to no host, so the debugger finds nothing to listen on.
 * `--disable-sigusr1` would say the same, but Node 20 does not know that option.
 */
export const debuggerNowhere = '--inspect-port=192.0.2.1:9229';

/** A debugger that was asked for on the command line stays. */
function closeDebugger(): void {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (!process.features.inspector || /--inspect(?!-port)/.test(options)) return;
  // Not imported: a Node without the debugger has no such module
  const inspector: typeof import('node:inspector') = createRequire(import.meta.url)(
    'node:inspector',
  );
  if (inspector.url() !== undefined) inspector.close();
}
