import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../core/log.ts';
import { type Credential, fingerprintOf, formatCredential } from './credential.ts';
import { type CredentialFile, type Look, lookAt, stateOf } from './credential-file.ts';
import { LastGoodCopy } from './last-good-copy.ts';

export interface IdentityOptions extends CredentialFile {
  /** Where the last good credential is kept for the next start; absent where what is removed must not be served on. */
  readonly copyPath?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long a start without any good credential waits for one; a second unless given. */
  readonly patienceMilliseconds?: number;
  readonly log: Log;
}

/** What a TLS server shows: what its file holds, or what it held when it was good. */
export interface ServerIdentity {
  readonly credential: Credential;
  /** Why it is not what the file holds, as a clause; `undefined` when it is. */
  readonly fault: string | undefined;
  /** Since when both are so, in milliseconds since 1970. */
  readonly since: number;
  /** Whether the file was changed and its new content was not judged yet. */
  readonly isBehind: boolean;
  /**
   * Looks whether the file changed.
   * @returns `undefined` when it did not; else what resolves when its content is shown, or refused
   */
  refresh(): Promise<void> | undefined;
  /** Calls back when `credential` or `fault` changed. @returns how to end that */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Also while no client connects, a copy of a key that was replaced must not stay. */
const lookMilliseconds = 60_000;
const pauseMilliseconds = 50;
const copyMilliseconds = 1000;

/**
 * Gives a server an identity whatever lies at its path, so that the operator can reach it and mend that: the file,
 * else the last good copy, else, after a moment in which a first file may come, a self-signed certificate that is
 * nowhere but in memory. Without a copy the self-signed certificate also takes the place of a file that was removed.
 */
export async function openServerIdentity(options: IdentityOptions): Promise<ServerIdentity> {
  const { path, copyPath, log, now, makeSelfSigned, patienceMilliseconds = 1000 } = options;
  const copy =
    copyPath === undefined ? undefined : new LastGoodCopy({ ...options, path: copyPath }, log);
  let look = await lookAt(options);
  const kept = 'fault' in look ? await copy?.read(now()) : undefined;
  for (let waited = 0; 'fault' in look && !kept && waited < patienceMilliseconds; ) {
    await sleep(pauseMilliseconds);
    waited += pauseMilliseconds;
    if (isDue(path, look)) look = await lookAt(options);
  }
  if ('credential' in look) {
    const identity = new FileIdentity(options, copy, look, look.credential, false);
    // A start that was served must leave a copy; a slow disk must not keep clients waiting
    await Promise.race([copy?.settled(), sleep(copyMilliseconds, undefined, { ref: false })]);
    return identity;
  }
  const credential = kept ?? makeSelfSigned();
  const what = kept ? 'last good TLS certificate' : 'self-signed TLS certificate in memory';
  const fingerprint = fingerprintOf(credential);
  log.warn(`${what} is served`, { fingerprint, path, reason: look.fault.message });
  return new FileIdentity(options, copy, look, credential, !kept);
}

class FileIdentity implements ServerIdentity {
  readonly #options: IdentityOptions;
  readonly #copy: LastGoodCopy | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #look: Look;
  #looking: Promise<void> | undefined;
  #credential: Credential;
  /** Whether the credential is nowhere else. */
  #isInMemory: boolean;
  #fault: string | undefined;
  #since: number;

  constructor(
    options: IdentityOptions,
    copy: LastGoodCopy | undefined,
    look: Look,
    credential: Credential,
    isInMemory: boolean,
  ) {
    this.#isInMemory = isInMemory;
    this.#options = options;
    this.#copy = copy;
    this.#look = look;
    this.#credential = credential;
    this.#fault = 'fault' in look ? look.fault.message : undefined;
    this.#since = options.now();
    this.#keep();
    this.#timer = setInterval(() => {
      if (!this.refresh()) this.#keep();
    }, lookMilliseconds).unref();
  }

  get credential(): Credential {
    return this.#credential;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  get since(): number {
    return this.#since;
  }

  get isBehind(): boolean {
    return stateOf(this.#options.path) !== this.#look.state;
  }

  refresh(): Promise<void> | undefined {
    this.#renewInMemory();
    // The file may have changed again after the look that is under way had read it
    if (this.#looking) {
      return this.#looking.then(() => (this.isBehind ? this.refresh() : undefined));
    }
    if (!isDue(this.#options.path, this.#look)) return undefined;
    this.#looking = lookAt(this.#options).then((look) => {
      this.#looking = undefined;
      this.#take(look);
    });
    return this.#looking;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#copy?.settled();
  }

  #take(look: Look): void {
    const { path, log } = this.#options;
    this.#look = look;
    if ('fault' in look) {
      const reason = look.fault.message;
      if (reason === this.#fault) return;
      this.#fault = reason;
      if (!this.#copy && look.state === 'ENOENT') {
        this.#credential = this.#options.makeSelfSigned();
        this.#isInMemory = true;
      }
      const served = fingerprintOf(this.#credential);
      if (this.#isInMemory)
        log.warn('self-signed TLS certificate in memory is served', { path, reason, served });
      else
        log.error('TLS certificate cannot be served, the old one stays', { path, reason, served });
    } else {
      const isOther = formatCredential(look.credential) !== formatCredential(this.#credential);
      if (!isOther && !this.#fault) return;
      if (isOther) this.#credential = look.credential;
      this.#isInMemory = false;
      this.#fault = undefined;
      const fingerprint = fingerprintOf(look.credential);
      log.info(isOther ? 'TLS certificate changed' : 'TLS certificate file is good again', {
        path,
        fingerprint,
      });
      this.#keep();
    }
    this.#tellChange();
  }

  /** What was made before the clock was set, or long ago, is not valid now. */
  #renewInMemory(): void {
    const { now, makeSelfSigned, path, log } = this.#options;
    if (!this.#isInMemory || isValid(this.#credential, now())) return;
    this.#credential = makeSelfSigned();
    const fingerprint = fingerprintOf(this.#credential);
    const reason = 'the clock is out of the time of the one before';
    log.warn('another self-signed TLS certificate in memory is served', {
      fingerprint,
      path,
      reason,
    });
    this.#tellChange();
  }

  #tellChange(): void {
    this.#since = this.#options.now();
    for (const listener of this.#listeners) listener();
  }

  #keep(): void {
    if (!this.#fault) void this.#copy?.keep(this.#credential);
  }
}

function isValid({ certificate }: Credential, now: number): boolean {
  return certificate.notBefore * 1000 <= now && now <= certificate.notAfter * 1000;
}

function isDue(path: string, look: Look): boolean {
  return stateOf(path) !== look.state || ('fault' in look && look.fault.mayPass);
}
