import { createPublicKey } from 'node:crypto';
import { dirname, join } from 'node:path';
import { ownerOnly } from '../../durable/access.ts';
import { removeSynced, writeNewFile } from '../../durable/atomic-file.ts';
import { noFollow, tryReadRegularFile } from '../../durable/regular-file.ts';
import { clearUnfinished } from '../../durable/unfinished.ts';
import { isStorageError } from '../errors.ts';
import type { Log } from '../surroundings.ts';
import { requestedKeyInfo } from '../x509/certification-request.ts';
import { exportPrivateKey, publicKeyHash, publicKeyInfo, readPrivateKey } from '../x509/keys.ts';
import { parsePem } from '../x509/pem.ts';
import { type PendingRequests, requestFiles } from './pending-requests.ts';

/** Where phosphor-certificate-manager kept the key of its last request, and its one key for RSA. */
const keyFiles = ['privkey.pem', '.rsaprivkey.pem'];
const requestFile = 'domain.csr';

/**
 * Makes pending requests of the keys that an upstream installation left beside a certificate, so that
 * the certificate of a request from before still finds its key. A file goes once its content is safe;
 * one that cannot be read stays.
 * @throws when the disk refused one of them, which may be tried again
 */
export async function takeOverUpstreamKeys(
  path: string,
  pending: PendingRequests,
  now: Date,
  log: Log,
): Promise<void> {
  const directory = dirname(path);
  for (const name of [...keyFiles, requestFile]) await clearUnfinished(join(directory, name));
  const request = await readRequest(join(directory, requestFile));
  let refused: unknown;
  for (const name of keyFiles) {
    const file = join(directory, name);
    const text = await tryReadRegularFile(file, noFollow);
    if (text === undefined) continue;
    try {
      const answered = await takeOver(text, request, pending, now);
      // The request first: without its key nobody would ever look for it again
      if (answered) await removeSynced(join(directory, requestFile));
      await removeSynced(file);
      log.info('key of an earlier installation taken over', { path: file });
    } catch (error) {
      if (isStorageError(error)) refused = error;
      log.warn('key of an earlier installation cannot be taken over', { path: file });
    }
  }
  if (refused !== undefined) throw refused;
}

interface FoundRequest {
  readonly text: string;
  readonly keyHash: string;
}

/** @returns whether the request is for this key */
async function takeOver(
  text: string,
  request: FoundRequest | undefined,
  pending: PendingRequests,
  now: Date,
): Promise<boolean> {
  const [block] = parsePem(text);
  if (!block) throw new TypeError('no PEM');
  const key = readPrivateKey(block);
  const id = publicKeyHash(publicKeyInfo(createPublicKey(key)));
  const fits = request?.keyHash === id;
  if (await pending.find(id)) return fits;
  const aside = await pending.prepare();
  try {
    await writeNewFile(join(aside, requestFiles.key), exportPrivateKey(key), ownerOnly);
    if (fits) await writeNewFile(join(aside, requestFiles.request), request.text, ownerOnly);
    await pending.adopt(aside, id, now);
  } finally {
    await pending.discard(aside).catch(() => undefined);
  }
  return fits;
}

async function readRequest(path: string): Promise<FoundRequest | undefined> {
  try {
    const [block] = parsePem((await tryReadRegularFile(path, noFollow)) ?? '');
    if (!block) return undefined;
    return { text: block.text, keyHash: publicKeyHash(requestedKeyInfo(block.der)) };
  } catch (error) {
    if (isStorageError(error)) throw error;
    return undefined;
  }
}
