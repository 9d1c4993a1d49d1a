import { type ChildProcess, fork, type Serializable } from 'node:child_process';

/** A program that does one job and says one thing. */
export interface ForkedProgram {
  readonly script: string;
  /** Milliseconds until its process is killed. */
  readonly deadline: number;
  /** Options of Node for it; those of this process unless given. */
  readonly nodeOptions?: readonly string[];
}

/** Why a job was not done. */
export class ForkFailure extends Error {
  override readonly name = 'ForkFailure';
  readonly reason: 'not started' | 'late' | 'ended';

  constructor(reason: ForkFailure['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

const running = new Set<ChildProcess>();
// One that computes does not see that the channel is closed
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Has a process of its own do a job, so that what happens to it happens to nothing else, and what it knows is gone with
 * it. It ends when this process does, and hears of the job by no other way than the channel between them.
 * @returns what it said. @throws ForkFailure
 */
export function runForked(
  { script, deadline, nodeOptions = process.execArgv }: ForkedProgram,
  job: Serializable,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(script, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [...nodeOptions],
      // JSON would make some megabytes of each in a buffer
      serialization: 'advanced',
    });
    running.add(child);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, deadline);
    const settle = () => {
      clearTimeout(timer);
      running.delete(child);
    };
    child.once('message', (message) => {
      // The program ends with the channel; it must not end before its reply is read
      if (child.connected) child.disconnect();
      resolve(message);
    });
    child.on('error', (cause) => {
      settle();
      reject(new ForkFailure('not started', 'its process could not be started', { cause }));
    });
    child.once('exit', (code, signal) => {
      settle();
      reject(
        late
          ? new ForkFailure('late', `it took more than ${Math.round(deadline / 1000)} s`)
          : new ForkFailure('ended', `its process ended with ${signal ?? code}`),
      );
    });
    // One that ends before it has its job tells so by its end, one that was never there by its error
    if (child.connected) child.send(job, () => undefined);
  });
}
