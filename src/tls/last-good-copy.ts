import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../core/log.ts';
import { Mutex } from '../core/mutex.ts';
import { writeFileAtomic } from '../storage/atomic-file.ts';
import { makeDirectory } from '../storage/directory.ts';
import { applyFileMode, ownerOnly } from '../storage/file-mode.ts';
import { noFollow, readRegularFile } from '../storage/regular-file.ts';
import { type Credential, CredentialFault, formatCredential } from './credential.ts';
import { type CredentialFile, lookAt, stateOf } from './credential-file.ts';

/**
 * The last credential that was good and served, in a file of the server's own, for a start at which the file that
 * it follows is no good. It holds a private key, so it is replaced as soon as another one is served.
 */
export class LastGoodCopy {
  readonly #file: CredentialFile;
  readonly #log: Log;
  readonly #turn = new Mutex();
  #kept: string | undefined;
  #toldReason: string | undefined;

  constructor(file: CredentialFile, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** @returns `undefined` when there is none, or none that can still be served: then the log says why */
  async read(now: number): Promise<Credential | undefined> {
    const { path } = this.#file;
    if (stateOf(path) === 'ENOENT') return undefined;
    const look = await lookAt(this.#file);
    const fault = 'fault' in look ? look.fault : expiryFault(look.credential, now);
    if (fault) {
      const reason = fault.message;
      this.#log.warn('copy of the last good TLS certificate is not used', { path, reason });
    }
    return fault || 'fault' in look ? undefined : look.credential;
  }

  /** Never rejects. A copy that cannot be replaced is removed: the key in it may have been given up. */
  keep(credential: Credential): Promise<void> {
    const text = formatCredential(credential);
    return this.#turn.run(async () => {
      if (text === this.#kept || (await this.#isThere(text))) {
        this.#kept = text;
        return;
      }
      this.#kept = undefined;
      try {
        const { path } = this.#file;
        await makeDirectory(dirname(path), ownerOnly);
        await writeFileAtomic(path, text, ownerOnly);
        this.#kept = text;
        this.#toldReason = undefined;
      } catch (error) {
        await this.#giveUp(error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** A start finds the copy of the last run, which a full disk could not take again. */
  async #isThere(text: string): Promise<boolean> {
    const { path, maxBytes } = this.#file;
    try {
      if ((await readRegularFile(path, maxBytes, noFollow)) !== text) return false;
      await applyFileMode(path, ownerOnly);
      return true;
    } catch {
      return false;
    }
  }

  async #giveUp(reason: string): Promise<void> {
    const { path } = this.#file;
    await rm(path, { force: true }).catch(() => undefined);
    if (reason === this.#toldReason) return;
    this.#toldReason = reason;
    this.#log.warn('last good TLS certificate is not kept', { path, reason });
  }

  /** When nothing is written any more. */
  settled(): Promise<void> {
    return this.#turn.settled();
  }
}

function expiryFault({ certificate }: Credential, now: number): CredentialFault | undefined {
  if (certificate.notAfter * 1000 >= now) return undefined;
  const end = new Date(certificate.notAfter * 1000).toISOString();
  return new CredentialFault(`its certificate expired on ${end}`);
}
