import { Mutex } from '../core/mutex.ts';
import type { Endpoint } from './endpoint.ts';
import type { StagedReplacements } from './replacement/staged-replacements.ts';

/** The endpoints of a manager, which may come and go while it runs. */
export interface EndpointSet {
  /** From the next `start` on, the endpoint serves. */
  add(endpoint: Endpoint): void;
  /** Starts the endpoints that were added since the last time. Never rejects. */
  start(): Promise<void>;
  /** Lets what is under way at an endpoint end, and stops it. Its files stay. */
  remove(endpoint: Endpoint): Promise<void>;
  /** Looks after what time changes; to be called now and then. Never rejects. */
  maintain(): Promise<void>;
  stop(): void;
}

/**
 * Endpoints start when no replacement of an earlier manager is left that was to be undone: a disk that fails at the
 * start may be well at the next look. Until then they have no certificates, and refuse every change.
 */
export function endpointSet(
  initial: readonly Endpoint[],
  replacements: StagedReplacements,
): EndpointSet {
  const turn = new Mutex();
  const all = new Set(initial);
  const isWaiting = new Set(initial);
  let hasBegun = false;
  const start = async () => {
    hasBegun = true;
    const waiting = [...isWaiting];
    if (waiting.length === 0 || !(await replacements.recover(waiting))) return;
    await Promise.all(waiting.map((endpoint) => endpoint.start()));
    for (const endpoint of waiting) isWaiting.delete(endpoint);
  };
  return {
    add(endpoint) {
      all.add(endpoint);
      isWaiting.add(endpoint);
    },
    start: () => turn.run(start),
    remove: (endpoint) =>
      turn.run(async () => {
        await endpoint.drain();
        endpoint.stop();
        all.delete(endpoint);
        isWaiting.delete(endpoint);
      }),
    maintain: () =>
      turn.run(async () => {
        if (hasBegun) await start();
        await Promise.all([...all].map((endpoint) => endpoint.maintain()));
      }),
    stop() {
      for (const endpoint of all) endpoint.stop();
    },
  };
}
