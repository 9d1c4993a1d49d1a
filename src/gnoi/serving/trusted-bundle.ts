import { join } from 'node:path';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { SetupError } from '../../core/setup-error.ts';
import { readStateText, writeStateText } from '../../storage/state-file.ts';
import { parsePem } from '../../x509/pem.ts';
import type { CertificateStore } from '../certificate-store.ts';

/** The CAs that verify clients: the bundle of the store, or the last one known while the store is away. */
export interface TrustedBundle {
  /** PEM of each; the same array until the bundle changes. */
  readonly authorities: readonly string[];
  /** Looks at the store again. */
  refresh(): void;
  /** When the bundle is on record for the next start. */
  settled(): Promise<void>;
}

/**
 * The last bundle is kept in a file: a service that starts while the manager is away must not let in clients without
 * certificates because it does not know the bundle.
 * @throws SetupError where the bundle is known neither from the store nor from the file
 */
export function trustedBundle(
  store: Pick<CertificateStore, 'authorities'>,
  directory: string,
  log: Log,
): TrustedBundle {
  const path = join(directory, 'bundle.pem');
  const turn = new Mutex();
  const kept = readKept(path, log);
  if (!kept && !authoritiesOf(store))
    throw new SetupError(
      `The manager is away, and the file ${path} does not tell which clients are to be let in.`,
    );
  let authorities: readonly string[] = kept ?? [];

  const refresh = () => {
    const found = authoritiesOf(store);
    if (!found || found.join('') === authorities.join('')) return;
    authorities = found;
    const text = found.join('');
    void turn.run(async () => {
      await writeStateText(path, text).catch((error: unknown) => {
        log.error('bundle not kept for the next start', { path, reason: reasonOf(error) });
      });
    });
  };
  refresh();
  return {
    get authorities() {
      return authorities;
    },
    refresh,
    settled: () => turn.settled(),
  };
}

/** @returns `undefined` where it cannot be read */
function readKept(path: string, log: Log): readonly string[] | undefined {
  try {
    return parsePem(readStateText(path) ?? '').map(({ text }) => text);
  } catch (error) {
    log.error('bundle of the last run cannot be read', { path, reason: reasonOf(error) });
    return undefined;
  }
}

/** @returns `undefined` while the store is away */
function authoritiesOf(store: Pick<CertificateStore, 'authorities'>) {
  try {
    return store.authorities().map(({ pem }) => pem);
  } catch (error) {
    if (error instanceof CertError && error.code === 'unavailable') return undefined;
    throw error;
  }
}
