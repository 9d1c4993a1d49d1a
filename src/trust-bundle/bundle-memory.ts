import { join } from 'node:path';
import {
  type TrustBundleState,
  validateTrustBundleState,
} from '../../schemas/generated/validators.js';
import { reasonOf } from '../core/cert-error.ts';
import type { EventLog } from '../core/log.ts';
import { readState, StateFile } from '../storage/state-file.ts';
import { BundleFault } from './bundle-fault.ts';

const form = { what: 'the state of a trust bundle', validator: validateTrustBundleState };

const nothing: TrustBundleState = { failures: 0, downloads: [], settings: {}, groups: {} };

type Alter = (state: TrustBundleState) => TrustBundleState;

/** What is remembered of one bundle, also over a restart. */
export class BundleMemory {
  readonly #file: StateFile<TrustBundleState>;
  readonly #log: EventLog;
  #value: TrustBundleState;

  /** @throws SetupError when the file is there but cannot be read: it says below which revision nothing is taken */
  constructor(directory: string, log: EventLog) {
    const path = join(directory, 'state.json');
    this.#value = readState(path, form) ?? nothing;
    this.#file = new StateFile(path, this.#value);
    this.#log = log;
  }

  get value(): TrustBundleState {
    return this.#value;
  }

  /** On the disk before it takes effect. @throws BundleFault `storage` */
  async change(alter: Alter): Promise<void> {
    try {
      await this.#file.change(() => alter(this.#value));
    } catch (cause) {
      const message = `what is remembered could not be written: ${reasonOf(cause)}`;
      throw new BundleFault('storage', message, { cause });
    }
    // Something may have been noted meanwhile
    this.#value = alter(this.#value);
  }

  /** In effect whether or not the disk takes it. */
  async note(alter: Alter): Promise<void> {
    this.#value = alter(this.#value);
    await this.#file
      .change(() => this.#value)
      .catch((error: unknown) =>
        this.#log.warn('state of a trust bundle not written', { reason: reasonOf(error) }),
      );
  }

  settled(): Promise<void> {
    return this.#file.settled();
  }
}
