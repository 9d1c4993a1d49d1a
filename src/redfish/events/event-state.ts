import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type EventState, validateEventState } from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { isSystemError, reasonOf } from '../../manager/errors.ts';
import type { Log } from '../../platform/log.ts';
import { validate } from '../../platform/validation.ts';
import { nextEpoch } from './event-buffer.ts';

export type { EventState };

/** Changes of the state; each is on the disk before it takes effect, one after the other. */
export class EventStateFile {
  readonly #path: string;
  #state: EventState;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, state: EventState) {
    this.#path = path;
    this.#state = state;
  }

  get state(): EventState {
    return this.#state;
  }

  /** When every change that was asked for is done, or has failed. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** What `alter` throws changes nothing, nor does a disk that fails. */
  change(alter: (state: EventState) => EventState): Promise<EventState> {
    const turn = this.#last.then(async () => {
      const next = alter(this.#state);
      await makeDirectory(dirname(this.#path), ownerOnly);
      // Headers of the subscriptions are secret
      await writeFileAtomic(this.#path, `${JSON.stringify(next, null, 2)}\n`, ownerOnly);
      this.#state = next;
      return next;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

export interface OpenOptions {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The state as a new start of the service begins with it. A file that is not what it should be is put
 * aside as `.bad`, and a disk that cannot be written is waited for until the next change; the log says so.
 */
export async function openEventState(
  path: string,
  { log, now }: OpenOptions,
): Promise<EventStateFile> {
  const before = (await readState(path, log)) ?? { epoch: 0, subscriptions: [] };
  const file = new EventStateFile(path, { ...before, epoch: nextEpoch(before.epoch, now) });
  await file
    .change((state) => state)
    .catch((error: unknown) => {
      log.error('state of events cannot be written', { path, reason: reasonOf(error) });
    });
  return file;
}

async function readState(path: string, log: Log): Promise<EventState | undefined> {
  let reason: string;
  try {
    const result = validate(validateEventState, parseJson(readFileSync(path, 'utf8')));
    if (result.ok) return result.value;
    reason = 'it does not hold the state of events';
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    reason = reasonOf(error);
  }
  log.error('state of events cannot be read: all event subscriptions are lost', { path, reason });
  const aside = `${path}.bad`;
  try {
    await rename(path, aside);
    log.error('damaged state of events put aside', { path: aside });
  } catch (error) {
    log.error('damaged state of events stays', { path, reason: reasonOf(error) });
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
