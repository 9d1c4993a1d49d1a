import { CertError, reasonOf } from '../../core/cert-error.ts';
import { classifyIoError, exists } from '../../storage/io-errors.ts';
import { readAttempts } from '../../storage/retry.ts';
import { readPrivateKey } from '../../x509/keys.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import { parseUpload } from '../upload.ts';
import { pairText } from './credential-file.ts';
import type { CredentialParts } from './credential-parts.ts';

/**
 * What an earlier manager, or another program, left in the file of a pair. What was never read must not be
 * written over; so all of this is done in the turn of a change, and no change comes before it.
 */
export class CredentialLoader {
  readonly #parts: CredentialParts;
  readonly #openDirectories: () => Promise<void>;
  #state: 'new' | 'unread' | 'read' = 'new';
  #isOpen = false;
  /** How often the file was tried in vain. */
  #failedReads = 0;
  /** Whether the file holds what was read and cannot be served. */
  #isUnserved = false;
  /** Whether what stood there was moved away, and nothing came in its place yet. */
  #isVacated = false;

  /** @param open makes the directories usable, and takes over what an upstream installation left */
  constructor(parts: CredentialParts, open: () => Promise<void>) {
    this.#parts = parts;
    this.#openDirectories = open;
  }

  /** From now on the file may be read: nothing is left there that is to be undone. */
  begin(): void {
    this.#state = 'unread';
  }

  get hasBegun(): boolean {
    return this.#state !== 'new';
  }

  /** Publishes what the file holds, if it was not yet. @throws CertError `storage` while it cannot be read */
  async mustBeRead(): Promise<void> {
    if (this.hasBegun && !this.#isOpen) await this.#open();
    if (this.#state === 'unread') await this.#load();
    if (this.#state === 'read') return;
    throw new CertError('storage', 'the certificate in service cannot be read; nothing changed');
  }

  /** Whether its file shows something else: its key was elsewhere, the issuer came first, a stranger is there. */
  get isOutOfForm(): boolean {
    const { service, dependencies } = this.#parts;
    const { pair, text, isOwnForm } = service;
    if (!pair || text === undefined || isOwnForm) return false;
    return !isServedAs(pair, text, dependencies.limits.content);
  }

  /** Whether it is for the manager alone that the file is not there. */
  get isVacated(): boolean {
    return this.#isVacated;
  }

  /**
   * To be called at the last moment before the file is written: what cannot be served, and what others put there
   * in the meantime, may still be wanted.
   * @param next what will stand there. @throws CertError `storage`
   */
  async keepOthers(next: CredentialCandidate | undefined): Promise<void> {
    const { path } = this.#parts.definition;
    if (this.#isUnserved ? await exists(path) : await this.hasOthers(next)) await this.putAside();
  }

  /** Whether there is something that was not looked at yet. @throws when that cannot be told */
  async hasOthers(next?: CredentialCandidate): Promise<boolean> {
    if (this.#isUnserved) return false;
    const { file, service } = this.#parts;
    return file.isOthers([service.text, next && pairText(next)]);
  }

  /** What is in the file cannot be served, and there is nothing better. */
  noteUnserved(): void {
    this.#isUnserved = true;
  }

  /** What is to be served has taken the place of everything else. */
  noteServed(): void {
    this.#isUnserved = false;
    this.#isVacated = false;
  }

  /** Keeps a bad file under another name too. @throws CertError `storage`: then it must stay where it is */
  async putAside(): Promise<void> {
    const { file, dependencies, definition } = this.#parts;
    const { path } = definition;
    const { log } = dependencies;
    try {
      const aside = await file.putAside();
      if (aside === undefined) return;
      if (aside.isMoved) this.#isVacated = true;
      log.warn('stored file put aside', { path, to: aside.to });
    } catch (cause) {
      log.error('stored file cannot be put aside', { path, reason: reasonOf(cause) });
      throw new CertError('storage', 'what is in its place cannot be kept; nothing changed', {
        cause,
      });
    }
  }

  async #open(): Promise<void> {
    const { definition, dependencies } = this.#parts;
    const { path } = definition;
    try {
      await this.#openDirectories();
      this.#isOpen = true;
    } catch (error) {
      dependencies.log.error('directory cannot be used', { path, reason: reasonOf(error) });
    }
  }

  async #load(): Promise<void> {
    const { definition, file, service, admission, dependencies } = this.#parts;
    const { path } = definition;
    try {
      const text = await file.read();
      if (text !== undefined) service.publish(await admission.readStored(text), text);
    } catch (error) {
      const reason = reasonOf(error);
      dependencies.log.error('stored certificate cannot be served', { path, reason });
      if (this.#mayBeReadLater(error)) return;
      service.listeners.tell({ kind: 'damaged', path, reason });
      this.#isUnserved = true;
    }
    this.#state = 'read';
  }

  /** A file that the disk cannot read for long is as good as lost; a busy program says nothing of it. */
  #mayBeReadLater(error: unknown): boolean {
    const cause = error instanceof CertError ? error.cause : error;
    const why = classifyIoError(cause);
    if (why === 'failing') this.#failedReads += 1;
    return why === 'busy' || (why === 'failing' && this.#failedReads <= readAttempts);
  }
}

/** Whether a service that reads the text shows just this: the key is there, and the certificates in order. */
function isServedAs(
  { leaf, chain }: CredentialCandidate,
  text: string,
  limits: ContentLimits,
): boolean {
  try {
    const { certificates, keyBlocks } = parseUpload(text, Number.POSITIVE_INFINITY, limits);
    const [key] = keyBlocks;
    const wanted = [leaf, ...chain];
    return (
      key !== undefined &&
      leaf.x509.checkPrivateKey(readPrivateKey(key)) &&
      certificates.length === wanted.length &&
      certificates.every(({ fingerprint }, at) => fingerprint === wanted[at]?.fingerprint)
    );
  } catch {
    return false;
  }
}
