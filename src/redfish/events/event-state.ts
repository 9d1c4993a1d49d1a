import { rename } from 'node:fs/promises';
import { type EventState, validateEventState } from '../../../schemas/generated/validators.js';
import { reasonOf } from '../../manager/errors.ts';
import type { Log } from '../../platform/log.ts';
import { isBusy, readState, StateFile } from '../../platform/state-file.ts';
import { nextEpoch } from './event-buffer.ts';

export type { EventState };

const form = { what: 'the state of events', validator: validateEventState };

export interface OpenOptions {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The state as a new start of the service begins with it. A file that is not what it should be is put
 * aside as `.bad`, and a disk that cannot be written is waited for until the next change; the log says so.
 * @throws SetupError when the program has too many descriptors to read it
 */
export async function openEventState(
  path: string,
  { log, now }: OpenOptions,
): Promise<StateFile<EventState>> {
  const before = (await readOrPutAside(path, log)) ?? { epoch: 0, subscriptions: [] };
  const file = new StateFile<EventState>(path, { ...before, epoch: nextEpoch(before.epoch, now) });
  await file
    .change((state) => state)
    .catch((error: unknown) => {
      log.error('state of events cannot be written', { path, reason: reasonOf(error) });
    });
  return file;
}

async function readOrPutAside(path: string, log: Log): Promise<EventState | undefined> {
  try {
    return readState(path, form);
  } catch (error) {
    if (isBusy(error)) throw error;
    const reason = reasonOf(error);
    log.error('state of events cannot be read: all event subscriptions are lost', { reason });
  }
  const aside = `${path}.bad`;
  try {
    await rename(path, aside);
    log.error('damaged state of events put aside', { path: aside });
  } catch (error) {
    log.error('damaged state of events stays', { path, reason: reasonOf(error) });
  }
  return undefined;
}
