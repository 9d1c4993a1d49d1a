import {
  type StoredClientIdentities,
  validateStoredClientIdentities,
} from '../../../schemas/generated/validators.js';
import { CertError } from '../../core/cert-error.ts';
import { Listeners } from '../../core/listeners.ts';
import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { InvalidMember } from '../../platform/invalid-member.ts';
import { readState, StateFile } from '../../storage/state-file.ts';
import {
  type ClientIdentities,
  configuredClientIdentities,
  readClientIdentities,
  type WrittenIdentities,
  type WrittenSource,
  writtenIdentities,
} from './client-identities.ts';
import { formatTlsFingerprint, parseTlsFingerprint } from './tls-fingerprint.ts';

type Configured = Pick<Configuration, 'clientIdentities'>;

/** The list of client identities of an edge: that of the configuration, until one is set at run time. */
export class ClientIdentityList {
  readonly #stored: StateFile<StoredClientIdentities>;
  readonly #log: Log;
  readonly #listeners: Listeners<{ readonly kind: 'identities' }>;
  #configuration: Configured;
  #configured: ClientIdentities;
  #inForce: ClientIdentities;

  /**
   * @param path of the file of what was set at run time
   * @throws SetupError when the file is there but not readable as what it should be; InvalidMember
   */
  constructor(path: string, configuration: Configured, log: Log) {
    this.#stored = new StateFile<StoredClientIdentities>(path, readState(path, form) ?? {});
    this.#log = log;
    this.#listeners = new Listeners(log);
    this.#configuration = configuration;
    this.#configured = configuredClientIdentities(configuration, log);
    this.#inForce = this.#read(this.#stored.value);
  }

  get inForce(): ClientIdentities {
    return this.#inForce;
  }

  get origin(): 'configuration' | 'run time' {
    return this.#stored.value.certToName ? 'run time' : 'configuration';
  }

  /** The same as it is written. */
  get written(): WrittenIdentities {
    return writtenIdentities(this.#inForce);
  }

  /** Takes the configuration as it is read again. @throws InvalidMember; then nothing changed */
  configure(configuration: Configured): void {
    this.#configured = configuredClientIdentities(configuration, this.#log);
    this.#configuration = configuration;
    this.#use(this.#read(this.#stored.value));
  }

  /**
   * @param position from 0, at which it comes into the list; at the end unless given
   * @throws CertError `argument-invalid`, `limit-reached`
   */
  add(entry: WrittenSource & { readonly fingerprint: string }, position?: number): Promise<void> {
    return this.#change((now) => {
      if (now.certToName.length >= maxEntries)
        throw new CertError('limit-reached', `The list has ${maxEntries} entries already.`);
      return { ...now, certToName: now.certToName.toSpliced(position ?? maxEntries, 0, entry) };
    });
  }

  /**
   * @param mapType of the entry, where several have the fingerprint
   * @throws CertError `argument-invalid`, `not-found`
   */
  remove(fingerprint: string, mapType?: string): Promise<void> {
    const wanted = parseTlsFingerprint(fingerprint);
    if (typeof wanted === 'string')
      throw new CertError('argument-invalid', `Fingerprint ${wanted}.`);
    const text = formatTlsFingerprint(wanted);
    return this.#change((now) => {
      const certToName = now.certToName.filter(
        (one) => one.fingerprint !== text || (mapType !== undefined && one.mapType !== mapType),
      );
      if (certToName.length === now.certToName.length)
        throw new CertError('not-found', 'No client identity has this fingerprint.');
      return { ...now, certToName };
    });
  }

  /** @param source `undefined` for none. @throws CertError `argument-invalid` */
  setDefault(source: WrittenSource | undefined): Promise<void> {
    return this.#change(({ certToName }) => ({
      certToName,
      ...(source && { defaultIdentity: source }),
    }));
  }

  /** Has the list of the configuration count again. */
  async reset(): Promise<void> {
    await this.#stored.change(() => ({}));
    this.#use(this.#configured);
  }

  /** Calls back when another list is in force. */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async #change(alter: (now: WrittenIdentities) => WrittenIdentities): Promise<void> {
    const stored = await this.#stored.change(() => {
      const next = alter(this.written);
      const { certToName, defaultIdentity } = writtenIdentities(this.#readNew(next));
      return { certToName: [...certToName], ...(defaultIdentity && { defaultIdentity }) };
    });
    this.#use(this.#read(stored));
  }

  #readNew(written: WrittenIdentities): ClientIdentities {
    const { allowWeakFingerprints } = this.#configuration.clientIdentities;
    try {
      return readClientIdentities(written, { allowWeakFingerprints, log: this.#log });
    } catch (error) {
      if (!(error instanceof InvalidMember)) throw error;
      const [, name = 'entry'] = /\/(fingerprint|name)$/.exec(error.path) ?? [];
      const subject = name === 'entry' ? 'Fingerprint' : name.replace(/^./, (a) => a.toUpperCase());
      throw new CertError('argument-invalid', `${subject} ${error.fault}.`, { cause: error });
    }
  }

  /** What was taken once stays, also where the configuration takes no weak fingerprints any more. */
  #read({ certToName, defaultIdentity }: StoredClientIdentities): ClientIdentities {
    if (!certToName) return this.#configured;
    const written = { certToName, defaultIdentity };
    return readClientIdentities(written, { allowWeakFingerprints: true });
  }

  #use(identities: ClientIdentities): void {
    this.#inForce = identities;
    this.#listeners.tell({ kind: 'identities' });
  }
}

/** As many as the configuration may have. */
const maxEntries = 1024;

const form = { what: 'client identities', validator: validateStoredClientIdentities };
