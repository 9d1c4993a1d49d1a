import { fileURLToPath } from 'node:url';
import { CertError, isCertErrorCode } from '../../core/cert-error.ts';
import { FairQueue, QueueFull } from '../../core/fair-queue.ts';
import { ForkFailure, runForked } from '../../core/forked-program.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { debuggerNowhere } from '../../platform/debug-signal.ts';
import { type Content, type OpenContent, openContent } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { type PemBlock, parsePem } from '../../x509/pem.ts';

type OpeningLimits = Pick<Configuration['limits'], 'openingSeconds' | 'queuedOpenings'>;

/** What the program `content-opener` is to open. */
export interface OpeningJob extends Omit<Content, 'bytes'> {
  readonly bytes: Uint8Array;
  readonly limits: ContentLimits;
}

/** What it says. */
export type OpeningReply =
  | { readonly pem: string }
  | { readonly code: string; readonly message: string };

// The programs lie beside each other when they are built
const builtScript = fileURLToPath(new URL('./content-opener.js', import.meta.url));

/**
 * Opens at once what takes few rounds of key derivation, and all else in a process of its own, one at a time: the
 * event loop goes on, and the process has the compiler of V8 even where its program does without.
 * @param now a clock in milliseconds that never jumps
 */
export function contentOpener(
  { openingSeconds, queuedOpenings }: OpeningLimits,
  script = builtScript,
  now: () => number = () => performance.now(),
): OpenContent {
  const queue = new FairQueue(queuedOpenings);
  const nodeOptions = [...process.execArgv.filter((one) => one !== '--jitless'), debuggerNowhere];
  return (content, limits, owner) => {
    try {
      return openContent(content, limits);
    } catch (error) {
      if (!(error instanceof CertError && error.code === 'key-derivation-limit')) throw error;
    }
    const deadline = openingSeconds * 1000;
    const came = now();
    const open = async () => {
      if (now() - came > deadline) throw busy();
      return readReply(await runForked({ script, deadline, nodeOptions }, { ...content, limits }));
    };
    return queue.take(owner, open).catch((cause: unknown) => {
      if (cause instanceof QueueFull) throw busy();
      if (!(cause instanceof ForkFailure)) throw cause;
      if (cause.reason === 'late') throw tooSlow(openingSeconds);
      throw new CertError('internal', `the file could not be opened: ${cause.message}`, { cause });
    });
  };
}

/** @throws CertError */
function readReply(message: unknown): readonly PemBlock[] {
  const { pem, code, message: text } = Object(message) as Record<string, unknown>;
  // How many blocks there may be was looked at where they were counted
  if (typeof pem === 'string') return parsePem(pem, { blocks: Number.POSITIVE_INFINITY });
  if (typeof code === 'string' && isCertErrorCode(code)) throw new CertError(code, String(text));
  throw new CertError('internal', 'the file could not be opened');
}

function busy(): CertError {
  return new CertError('busy', 'other files are being opened with their passwords; try again');
}

function tooSlow(seconds: number): CertError {
  return new CertError('key-derivation-limit', `it was not opened within ${seconds} s`);
}
