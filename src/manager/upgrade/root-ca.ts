import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { CertError, isStorageError, reasonOf } from '../../core/cert-error.ts';
import { removeSynced, writeFileAtomic } from '../../storage/atomic-file.ts';
import { worldReadable } from '../../storage/file-mode.ts';
import { exists } from '../../storage/io-errors.ts';
import { tryReadRegularFile } from '../../storage/regular-file.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import { readUploadFile } from '../upload.ts';

export interface RootCaOptions {
  /** The path of the truststore, beside which the file lies. */
  readonly truststore: string;
  readonly install: (text: string) => Promise<unknown>;
  readonly dependencies: EndpointDependencies;
}

/**
 * Installs the one authority of early OpenBMC releases, and removes its file as upstream does. A file that
 * cannot be removed is installed once: an authority that was deleted since must not come back.
 */
export class RootCa {
  readonly #options: RootCaOptions;
  readonly #path: string;
  /** Names the content that was installed, for the next start, while its file cannot be removed. */
  readonly #marker: string;
  /** Digest of the content that this run installed. */
  #installed = '';
  /** What the log says already. */
  #reason = '';

  constructor(options: RootCaOptions) {
    this.#options = options;
    this.#path = join(dirname(options.truststore), 'Root-CA.pem');
    this.#marker = `${this.#path}.adopted`;
  }

  /** @returns false when it may be tried again: what is in the way may go */
  async takeOver(): Promise<boolean> {
    const { log } = this.#options.dependencies;
    const path = this.#path;
    try {
      for (const one of [path, this.#marker]) await removeTempFiles(one);
      if (!(await exists(path))) return true;
      const digest = await this.#installOnce();
      await removeSynced(path).catch(async (error: unknown) => {
        await this.#mark(digest).catch(() => undefined);
        throw error;
      });
      log.info('root certificate of an earlier installation taken over', { path });
      // What a failure leaves of it names a file that is gone
      if (await exists(this.#marker)) await removeSynced(this.#marker);
      return true;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.#reason)
        log.warn('root certificate of an earlier installation left in place', { path, reason });
      this.#reason = reason;
      return !mayChange(error);
    }
  }

  /** @returns the digest of the content */
  async #installOnce(): Promise<string> {
    const { install, dependencies } = this.#options;
    const text = await readUploadFile(this.#path, dependencies.limits.uploadBytes);
    const digest = createHash('sha256').update(text).digest('hex');
    if (this.#installed === digest || (await this.#marked()) === digest) return digest;
    await install(text).catch((error: unknown) => {
      if (!(error instanceof CertError) || error.code !== 'already-installed') throw error;
    });
    this.#installed = digest;
    return digest;
  }

  async #mark(digest: string): Promise<void> {
    if ((await this.#marked()) !== digest)
      await writeFileAtomic(this.#marker, `${digest}\n`, worldReadable);
  }

  async #marked(): Promise<string | undefined> {
    return (await tryReadRegularFile(this.#marker))?.trim();
  }
}

/** A staged replacement ends, and a full list may have room, or a disk be well again. */
function mayChange(error: unknown): boolean {
  if (isStorageError(error)) return true;
  return (
    error instanceof CertError && ['replacement-in-progress', 'limit-reached'].includes(error.code)
  );
}
