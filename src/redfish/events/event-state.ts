import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type EventState, validateEventState } from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { SetupError } from '../../platform/configuration.ts';
import { validate } from '../../platform/validation.ts';

export type { EventState };

/** Changes of the state; each is on the disk before it takes effect, one after the other. */
export class EventStateFile {
  readonly #path: string;
  #state: EventState;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, initial: EventState) {
    this.#path = path;
    this.#state = readState(path) ?? initial;
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

function readState(path: string): EventState | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new SetupError(`The event subscriptions in ${path} cannot be read.`, { cause: error });
  }
  const result = validate(validateEventState, parseJson(text));
  if (!result.ok) throw new SetupError(`The file ${path} does not hold event subscriptions.`);
  return result.value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
