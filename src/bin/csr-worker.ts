import '../platform/debug-signal.ts';
import type { WorkerReply } from '../manager/csr/forked-worker.ts';
import { type CsrJob, makeRequestFiles } from '../manager/csr/make-request-files.ts';

/** Makes one key pair and its request for the manager that forked it. */
process.once('message', (job: CsrJob) => {
  makeRequestFiles(job).then(
    (publicKeyHash) => answer({ publicKeyHash }),
    (error: unknown) => answer({ fault: faultOf(error) }),
  );
});

// Who has the manager read its configuration again by a signal to all of its processes loses no request
process.on('SIGHUP', () => undefined);

// Node would print the stack of an error that was not caught
process.once('uncaughtException', (error) => answer({ fault: faultOf(error) }));

// The manager has read the reply, or it died and the key would be left over
process.once('disconnect', () => process.exit());

function answer(reply: WorkerReply): void {
  process.send?.(reply);
}

/** The class of the fault only: a message might quote what the request said. */
function faultOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : 'unknown';
}
