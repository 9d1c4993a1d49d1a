import type { WorkerReply } from '../manager/csr/forked-worker.ts';
import { type CsrJob, makeRequestFiles } from '../manager/csr/make-request-files.ts';

/** Makes one key pair and its request for the manager that forked it, then ends. */
process.once('message', (job: CsrJob) => {
  makeRequestFiles(job).then(
    (publicKeyHash) => answer({ publicKeyHash }, 0),
    (error: unknown) => answer({ fault: faultOf(error) }, 1),
  );
});

// The manager died: nobody would adopt the key
process.once('disconnect', () => process.exit(1));

function answer(reply: WorkerReply, status: number): void {
  process.send?.(reply, () => process.exit(status));
}

/** The class of the fault only: a message might quote what the request said. */
function faultOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : 'unknown';
}
