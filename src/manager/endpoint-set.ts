import { Mutex } from '../core/mutex.ts';
import type { Endpoint } from './endpoint.ts';
import type { StagedReplacements } from './replacement/staged-replacements.ts';

/** All endpoints of a manager, from their start on. */
export interface EndpointSet {
  /** Never rejects. */
  start(): Promise<void>;
  /** Looks after what time changes; to be called now and then. Never rejects. */
  maintain(): Promise<void>;
  stop(): void;
}

/**
 * Endpoints start when no replacement of an earlier manager is left that was to be undone: a disk that fails at the
 * start may be well at the next look. Until then they have no certificates, and refuse every change.
 */
export function endpointSet(
  endpoints: readonly Endpoint[],
  replacements: StagedReplacements,
): EndpointSet {
  const turn = new Mutex();
  let state: 'new' | 'waiting' | 'started' = 'new';
  const start = async () => {
    state = 'waiting';
    if (!(await replacements.recover(endpoints))) return;
    await Promise.all(endpoints.map((endpoint) => endpoint.start()));
    state = 'started';
  };
  return {
    start: () => turn.run(start),
    async maintain() {
      await turn.run(async () => {
        if (state === 'waiting') await start();
      });
      await Promise.all(endpoints.map((endpoint) => endpoint.maintain()));
    },
    stop() {
      for (const endpoint of endpoints) endpoint.stop();
    },
  };
}
