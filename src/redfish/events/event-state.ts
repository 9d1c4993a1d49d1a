import { rename } from 'node:fs/promises';
import { type EventState, validateEventState } from '../../../schemas/generated/validators.js';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { isBusy, isFailing, readState, StateFile } from '../../storage/state-file.ts';
import { nextEpoch } from './event-buffer.ts';
import type { EventSettings } from './event-settings.ts';

export type { EventState };

/** What a client may set of the service as a whole. */
export interface EventServiceState {
  readonly enabled: boolean;
  readonly retryAttempts: number;
  readonly retryIntervalSeconds: number;
}

/** What a client has set, and what the configuration says where none has. */
export function serviceState({
  settings: { retryAttempts, retryIntervalSeconds },
  file,
}: {
  readonly settings: EventSettings;
  readonly file: StateFile<EventState>;
}): EventServiceState {
  return { enabled: true, retryAttempts, retryIntervalSeconds, ...file.value };
}

const form = { what: 'the state of events', validator: validateEventState };

export interface OpenOptions {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The state as a new start of the service begins with it. A file that is not what it should be is put
 * aside as `.bad`, and a disk that cannot be written is waited for until the next change; the log says so.
 * Where the disk does not read the file now, it has its say as soon as it can be read, and is not written
 * over before.
 * @throws SetupError when the program has too many descriptors to read it
 */
export async function openEventState(
  path: string,
  { log, now }: OpenOptions,
): Promise<StateFile<EventState>> {
  const begun = (before: EventState) => ({ ...before, epoch: nextEpoch(before.epoch, now) });
  let before: EventState;
  try {
    before = await readOrPutAside(path, log);
  } catch (error) {
    if (!isFailing(error)) throw error;
    const reason = reasonOf(error);
    log.error('state of events cannot be read now: its event subscriptions wait', { path, reason });
    return new StateFile<EventState>(path, begun(nothing), async ({ epoch }) => {
      const late = begun(await readOrPutAside(path, log));
      log.info('state of events could be read after all', { path });
      return { ...late, epoch: Math.max(late.epoch, epoch) };
    });
  }
  const file = new StateFile<EventState>(path, begun(before));
  await file
    .change((state) => state)
    .catch((error: unknown) => {
      log.error('state of events cannot be written', { path, reason: reasonOf(error) });
    });
  return file;
}

const nothing: EventState = { epoch: 0, subscriptions: [] };

/** @throws SetupError when the system gives no answer */
async function readOrPutAside(path: string, log: Log): Promise<EventState> {
  try {
    return readState(path, form) ?? nothing;
  } catch (error) {
    if (isBusy(error) || isFailing(error)) throw error;
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
  return nothing;
}
