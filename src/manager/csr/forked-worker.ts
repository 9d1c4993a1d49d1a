import { fork } from 'node:child_process';
import { CertError } from '../../core/cert-error.ts';
import { Semaphore } from '../../core/semaphore.ts';
import type { CsrJob } from './make-request-files.ts';

/** Does one job and answers the hash of the new public key. */
export type CsrWorker = (job: CsrJob) => Promise<string>;

/** What a worker process says before it ends. */
export type WorkerReply = { readonly publicKeyHash: string } | { readonly fault: string };

export interface ForkedWorkerOptions {
  /** The worker program. */
  readonly script: string;
  /** Milliseconds until a worker is killed. */
  readonly deadline: number;
  /** The most workers at a time; further jobs wait. */
  readonly workers: number;
  /** Options of Node for the worker; those of this process unless given. */
  readonly nodeOptions?: readonly string[];
}

/**
 * Runs each job in a process of its own, so that a crash or an out-of-memory kill loses that request
 * alone and the key material dies with the process.
 */
export function forkedWorker(options: ForkedWorkerOptions): CsrWorker {
  const places = new Semaphore(options.workers);
  return async (job) => {
    const leave = await places.acquire();
    try {
      return await runWorker(options, job);
    } finally {
      leave();
    }
  };
}

function runWorker(
  { script, deadline, nodeOptions = process.execArgv }: ForkedWorkerOptions,
  job: CsrJob,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = fork(script, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [...nodeOptions],
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, deadline);
    child.once('message', (message) => {
      // The worker ends with the channel; it must not end before its reply is read
      if (child.connected) child.disconnect();
      const reply = readReply(message);
      if ('publicKeyHash' in reply) resolve(reply.publicKeyHash);
      else reject(failed(reply.fault));
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new CertError('request-failed', 'the worker could not be started', { cause }));
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(late ? timedOut(deadline) : failed(`its process ended with ${signal ?? code}`));
    });
    // One that ends before it has its job tells so by its end, one that was never there by its error
    if (child.connected) child.send(job, () => undefined);
  });
}

/** The hash becomes the name of a directory, and the fault a part of an answer. */
function readReply(message: unknown): WorkerReply {
  const { publicKeyHash, fault } = Object(message) as Record<string, unknown>;
  if (typeof publicKeyHash === 'string' && /^[0-9a-f]{64}$/.test(publicKeyHash)) {
    return { publicKeyHash };
  }
  return { fault: typeof fault === 'string' && /^\w{1,60}$/.test(fault) ? fault : 'unknown' };
}

function timedOut(deadline: number): CertError {
  const seconds = Math.round(deadline / 1000);
  return new CertError('request-timeout', `the request was not made within ${seconds} s`);
}

function failed(detail: string): CertError {
  return new CertError('request-failed', `the request could not be made: ${detail}`);
}
