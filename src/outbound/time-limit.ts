export interface TimeLimit {
  readonly milliseconds: number;
  /** Calls the work off; it may live for long, and nothing of the work stays with it. */
  readonly signal: AbortSignal;
  /** Why the work failed whose time is over. */
  readonly late: string;
}

/**
 * Does work with a signal that says when it is called off or its time is over. `AbortSignal.any` would leave
 * an entry with the longer-lived signal for each that was ever made of it (Node 20).
 */
export async function withinTime<T>(
  { milliseconds, signal, late }: TimeLimit,
  work: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const stop = () => own.abort(signal.reason);
  const timer = setTimeout(() => own.abort(new Error(late)), milliseconds);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(own.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** The outcome of a promise, unless the signal aborts before it. */
export function unlessOver<T>(over: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(over.reason);
    if (over.aborted) stop();
    over.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => over.removeEventListener('abort', stop));
  });
}
