import { randomUUID } from 'node:crypto';
import { lstatSync, rmSync } from 'node:fs';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { isBusy, isFailing, readStateText, writeStateText } from '../../storage/state-file.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** How long an id that the disk did not take waits for the next attempt. */
const period = 60_000;

/** The id as this run of the service tells it. */
export interface ServiceId {
  readonly value: string;
  /** Writes it, where that could not be done yet and is to be done at all. */
  settle(): Promise<void>;
  /** Resolves after a last attempt. */
  close(): Promise<void>;
}

/**
 * The id of the service outlives it: clients know a device by it (DSP0266, "UUID"). What is no UUID any
 * more gives way to a new one, and a disk that cannot be written keeps nobody from starting. Where the disk
 * does not read the file now, another id counts for this run alone.
 * @throws SetupError when the program has too many descriptors to look: the id is there the next time
 */
export async function openServiceId(path: string, log: Log): Promise<ServiceId> {
  const found = read(path);
  if (found.kind === 'valid') return forNow(found.id);
  const id = randomUUID();
  if (found.kind === 'unread') {
    const { reason } = found;
    log.error('the id of the service cannot be read now, it has another one until the next start', {
      ...{ path, id, reason },
    });
    return forNow(id);
  }
  if (found.kind === 'damaged') {
    log.warn('the id of the service cannot be read, it has a new one', { path, id });
  }
  return written(path, id, log);
}

function forNow(value: string): ServiceId {
  return { value, settle: async () => undefined, close: async () => undefined };
}

/** Resolves after the first attempt to write it. */
async function written(path: string, value: string, log: Log): Promise<ServiceId> {
  let isWritten = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = new Mutex();
  const settle = () =>
    turn.run(async () => {
      if (isWritten) return;
      try {
        makeRoom(path);
        await writeStateText(path, value);
        isWritten = true;
        clearInterval(timer);
      } catch (error) {
        const reason = reasonOf(error);
        log.error('the id of the service cannot be written now', { path, reason });
      }
    });
  await settle();
  if (!isWritten) timer = setInterval(() => void settle(), period).unref();
  return {
    value,
    settle,
    async close() {
      clearInterval(timer);
      await settle();
    },
  };
}

/** A file is replaced as it is written, so that a cut leaves one of the two; a directory cannot be. */
function makeRoom(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  rmSync(path, { force: true, recursive: true });
}

type Found =
  | { readonly kind: 'valid'; readonly id: string }
  | { readonly kind: 'absent' | 'damaged' }
  | { readonly kind: 'unread'; readonly reason: string };

function read(path: string): Found {
  try {
    const id = readStateText(path)?.trim().toLowerCase();
    if (id === undefined) return { kind: 'absent' };
    return uuid.test(id) ? { kind: 'valid', id } : { kind: 'damaged' };
  } catch (error) {
    if (isBusy(error)) throw error;
    return isFailing(error) ? { kind: 'unread', reason: reasonOf(error) } : { kind: 'damaged' };
  }
}
