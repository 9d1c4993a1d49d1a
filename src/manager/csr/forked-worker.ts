import { CertError } from '../../core/cert-error.ts';
import { type ForkedProgram, ForkFailure, runForked } from '../../core/forked-program.ts';
import { Semaphore } from '../../core/semaphore.ts';
import { isDiskFull } from '../../storage/io-errors.ts';
import type { CsrJob } from './make-request-files.ts';

/** Does one job and answers the hash of the new public key. */
export type CsrWorker = (job: CsrJob) => Promise<string>;

/** What a worker process says before it ends. */
export type WorkerReply = { readonly publicKeyHash: string } | { readonly fault: string };

export interface ForkedWorkerOptions extends ForkedProgram {
  /** The most workers at a time; further jobs wait. */
  readonly workers: number;
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
      const reply = readReply(await runForked(options, { ...job }));
      if ('publicKeyHash' in reply) return reply.publicKeyHash;
      throw isDiskFull(reply.fault) ? full(reply.fault) : failed(reply.fault);
    } catch (error) {
      if (!(error instanceof ForkFailure)) throw error;
      if (error.reason === 'late') throw timedOut(options.deadline);
      throw failed(error.message, error.cause);
    } finally {
      leave();
    }
  };
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

function full(code: string): CertError {
  return new CertError('storage-full', `the disk has no room for the request (${code})`);
}

function failed(detail: string, cause?: unknown): CertError {
  return new CertError('request-failed', `the request could not be made: ${detail}`, { cause });
}
