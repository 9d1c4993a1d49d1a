import { type Profiler, Session } from 'node:inspector';

/** Which parts of our sources ran: V8's own count, one key for each function and block that did. */
export interface BranchCoverage {
  /** Keys that no earlier call of `learn` has seen, of what ran since the last look. */
  look(): ReadonlySet<string>;
  learn(keys: ReadonlySet<string>): void;
  stop(): void;
}

export function followBranches(): BranchCoverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const known = new Set<string>();
  return {
    look() {
      const fresh = new Set<string>();
      // On a session with its own thread the answer is there when the call returns
      session.post('Profiler.takePreciseCoverage', (_error, { result = [] }) => {
        for (const key of result.flatMap(keysOf)) if (!known.has(key)) fresh.add(key);
      });
      return fresh;
    },
    learn(keys) {
      for (const key of keys) known.add(key);
    },
    stop() {
      session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

/** Ours and those of the libraries that read for us; not Node's, which change with everything. */
function keysOf({ url, functions }: Profiler.ScriptCoverage): string[] {
  if (!/\/(src|schemas|node-forge\/lib|dbus-next\/lib)\//.test(url)) return [];
  return functions.flatMap(({ ranges }) =>
    ranges
      .filter(({ count }) => count > 0)
      .map(({ startOffset, endOffset }) => `${url}:${startOffset}-${endOffset}`),
  );
}
