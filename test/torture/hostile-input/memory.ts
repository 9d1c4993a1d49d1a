import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { extent } from '../extent.ts';

/** How much memory stays taken between the first quarter of a run, when all is warm, and its end. */
export interface MemoryGrowth {
  after(run: number): void;
  /** In whole megabytes: what JavaScript holds with its buffers, and the whole process. */
  growth(): { readonly heap: number; readonly resident: number };
}

export function growthBetweenQuarters(runs: number): MemoryGrowth {
  const collect = extent({ quick: () => () => undefined, long: exposeCollector })();
  const measure = () => {
    collect();
    collect();
    const { heapUsed, external, rss } = memoryUsage();
    return { heap: heapUsed + external, resident: rss };
  };
  let first = measure();
  const quarter = Math.floor(runs / 4);
  return {
    after(run) {
      if (run === quarter) first = measure();
    },
    growth() {
      const last = measure();
      return {
        heap: megabytes(last.heap - first.heap),
        resident: megabytes(last.resident - first.resident),
      };
    },
  };
}

function exposeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
