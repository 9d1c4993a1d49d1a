import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type ClientCertificateSettings,
  validateClientCertificateSettings,
} from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { SetupError } from '../../platform/configuration.ts';
import { validate } from '../../platform/validation.ts';

export type Settings = Readonly<ClientCertificateSettings>;

/** Clients may use certificates as soon as there is an authority that they are trusted by. */
export const firstSettings: Settings = { enabled: true, respond: true, mapping: 'CommonName' };

/** What AccountService says of client certificates, in a file of its own. */
export class SettingsFile {
  readonly #path: string;
  #settings: Settings;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws SetupError when the file is there but does not hold settings */
  constructor(path: string) {
    this.#path = path;
    this.#settings = read(path);
  }

  get current(): Settings {
    return this.#settings;
  }

  /**
   * Changes are made one after the other.
   * @param change what to make of the settings as they then are; what it throws leaves them so
   */
  update(change: (current: Settings) => Promise<Settings>): Promise<void> {
    return this.during(async () => {
      const next = await change(this.#settings);
      await makeDirectory(dirname(this.#path), ownerOnly);
      await writeFileAtomic(this.#path, `${JSON.stringify(next, null, 2)}\n`, ownerOnly);
      this.#settings = next;
    });
  }

  /** Does what depends on the settings; they stay as they are for so long. */
  during(work: (current: Settings) => Promise<void>): Promise<void> {
    const turn = this.#last.then(() => work(this.#settings));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function read(path: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return firstSettings;
    throw new SetupError(`The settings in ${path} cannot be read.`, { cause });
  }
  const result = validate(validateClientCertificateSettings, value);
  if (!result.ok) throw new SetupError(`The file ${path} does not hold settings of certificates.`);
  return result.value;
}
