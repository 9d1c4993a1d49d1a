import { dirname } from 'node:path';
import type { Validator } from '../../schemas/generated/validators.js';
import { Mutex } from '../core/mutex.ts';
import { SetupError } from '../core/setup-error.ts';
import { validate } from '../core/validation.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { makeDirectory } from './directory.ts';
import { stateAccess } from './file-mode.ts';
import { classifyIoError } from './io-errors.ts';
import { cannotBeRead, readRegularFileSync } from './regular-file.ts';

/** What a file is to hold, as a complaint calls it and as its schema has it. */
export interface StateForm<Stored> {
  readonly what: string;
  readonly validator: Validator<Stored>;
}

/**
 * What a program remembers in one JSON file, for its owner only. Changes are made one after the other; each
 * is on the disk before it takes effect, and one that fails changes nothing.
 */
export class StateFile<Stored> {
  readonly #path: string;
  readonly #turn = new Mutex();
  #value: Stored;
  #read: ((instead: Stored) => Promise<Stored>) | undefined;

  /**
   * @param value what the file holds, or what counts until the first change
   * @param read for a file that the disk did not read: tries it again, with what counted instead. Nothing is
   *   written over the file, and nothing done that depends on it, until that succeeds
   */
  constructor(path: string, value: Stored, read?: (instead: Stored) => Promise<Stored>) {
    this.#path = path;
    this.#value = value;
    this.#read = read;
  }

  get value(): Stored {
    return this.#value;
  }

  /** @param alter what to make of the value as it then is; what it throws leaves it so */
  change(alter: (value: Stored) => Stored | Promise<Stored>): Promise<Stored> {
    return this.#turn.run(async () => {
      await this.#readAgain();
      const next = await alter(this.#value);
      await writeState(this.#path, next);
      this.#value = next;
      return next;
    });
  }

  /** Does what depends on the value, which stays as it is for so long. */
  during<T>(work: (value: Stored) => Promise<T>): Promise<T> {
    return this.#turn.run(async () => {
      await this.#readAgain();
      return work(this.#value);
    });
  }

  /** When every change that was asked for is done, or has failed. */
  settled(): Promise<void> {
    return this.#turn.settled();
  }

  async #readAgain(): Promise<void> {
    if (!this.#read) return;
    this.#value = await this.#read(this.#value);
    this.#read = undefined;
  }
}

/**
 * @returns `undefined` when there is no file
 * @throws SetupError when the file is there but not readable as what it should be
 */
export function readState<Stored>(path: string, form: StateForm<Stored>): Stored | undefined {
  const text = readStateText(path);
  if (text === undefined) return undefined;
  const result = validate(form.validator, parseJson(text));
  if (!result.ok) throw new SetupError(`The file ${path} does not hold ${form.what}.`);
  return result.value;
}

export async function writeState(path: string, value: unknown): Promise<void> {
  await writeStateText(path, JSON.stringify(value, null, 2));
}

/** The text of a file, `undefined` when there is none. @throws SetupError */
export function readStateText(path: string): string | undefined {
  try {
    return readPatiently(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cannotBeRead(`The file ${path}`, cause);
  }
}

/** Whether a file could not be read for want of descriptors or memory, which says nothing of the file. */
export function isBusy(error: unknown): boolean {
  return error instanceof SetupError && classifyIoError(error.cause) === 'busy';
}

/** Whether the disk failed to read a file, which may be well and wanted all the same. */
export function isFailing(error: unknown): boolean {
  return error instanceof SetupError && classifyIoError(error.cause) === 'failing';
}

/** What the disk does not read once, it may read the next time; much hangs on it. */
function readPatiently(path: string, more = 2): string {
  try {
    return readRegularFileSync(path);
  } catch (error) {
    if (more > 0 && classifyIoError(error) !== undefined) return readPatiently(path, more - 1);
    throw error;
  }
}

/** The owner of the directory can read the file, whichever user writes it: root may act for a service of another user. */
export async function writeStateText(path: string, text: string): Promise<void> {
  const access = await stateAccess(path);
  await makeDirectory(dirname(path), access);
  await writeFileAtomic(path, `${text}\n`, access);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
