import { dirname, join } from 'node:path';
import { CertError, isStorageError, reasonOf } from '../../core/cert-error.ts';
import { removeSynced } from '../../storage/atomic-file.ts';
import { exists } from '../../storage/io-errors.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import { readUploadFile } from '../upload.ts';

export interface RootCaOptions {
  /** The path of the truststore, beside which the file lies. */
  readonly truststore: string;
  readonly install: (text: string) => Promise<unknown>;
  readonly dependencies: EndpointDependencies;
}

/** Installs the one authority of early OpenBMC releases, and removes its file as upstream does. */
export class RootCa {
  readonly #options: RootCaOptions;
  readonly #path: string;
  /** The content that this run installed, while its file cannot be removed. */
  #installed = '';
  /** What the log says already. */
  #reason = '';

  constructor(options: RootCaOptions) {
    this.#options = options;
    this.#path = join(dirname(options.truststore), 'Root-CA.pem');
  }

  /** @returns false when it may be tried again: what is in the way may go */
  async takeOver(): Promise<boolean> {
    const { log } = this.#options.dependencies;
    const path = this.#path;
    try {
      await removeTempFiles(path);
      if (!(await exists(path))) return true;
      await this.#installOnce();
      await removeSynced(path);
      log.info('root certificate of an earlier installation taken over', { path });
      return true;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.#reason)
        log.warn('root certificate of an earlier installation left in place', { path, reason });
      this.#reason = reason;
      return !mayChange(error);
    }
  }

  async #installOnce(): Promise<void> {
    const { install, dependencies } = this.#options;
    const text = await readUploadFile(this.#path, dependencies.limits.uploadBytes);
    if (this.#installed === text) return;
    await install(text).catch((error: unknown) => {
      if (!(error instanceof CertError) || error.code !== 'already-installed') throw error;
    });
    this.#installed = text;
  }
}

/** A staged replacement ends, and a full list may have room, or a disk be well again. */
function mayChange(error: unknown): boolean {
  if (isStorageError(error)) return true;
  return (
    error instanceof CertError && ['replacement-in-progress', 'limit-reached'].includes(error.code)
  );
}
