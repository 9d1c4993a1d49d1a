import { setTimeout as sleep } from 'node:timers/promises';

/** Time as the event service uses it. */
export interface EventClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment; unlike `now` it goes on evenly when the clock is set. */
  elapsed(): number;
  /** @throws when the signal ends it */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** @returns how to stop it */
  every(milliseconds: number, run: () => void): () => void;
}

export const systemClock: EventClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal, ref: false }),
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds).unref();
    return () => clearInterval(timer);
  },
};
