import '../platform/debug-signal.ts';
import { CertError } from '../core/cert-error.ts';
import { openContent } from '../x509/containers.ts';
import type { OpeningJob, OpeningReply } from './set-up/content-opener.ts';

/** Opens one file with its password for the program that forked it. */
process.once('message', ({ bytes, format, password, limits }: OpeningJob) => {
  try {
    const content = { bytes: Buffer.from(bytes), format, password };
    const blocks = openContent(content, limits, limits.derivationRounds);
    answer({ pem: blocks.map(({ text }) => text).join('') });
  } catch (error) {
    if (!(error instanceof CertError)) throw error;
    answer({ code: error.code, message: error.message });
  }
});

// Who has a program read its configuration again by a signal to all of its processes loses no upload
process.on('SIGHUP', () => undefined);

// Node would print the stack of an error that was not caught; a message might quote what is in the file
process.once('uncaughtException', () => process.exit(1));

// The reply was read, or there is nobody any more to read it
process.once('disconnect', () => process.exit());

function answer(reply: OpeningReply): void {
  process.send?.(reply);
}
