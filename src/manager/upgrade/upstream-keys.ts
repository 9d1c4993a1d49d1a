import { createPublicKey, type KeyObject } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isStorageError } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import { removeSynced, renameSynced, writeNewFile } from '../../storage/atomic-file.ts';
import { ownerOnly } from '../../storage/file-mode.ts';
import { noFollow, tryReadRegularFile } from '../../storage/regular-file.ts';
import { tempFilesOf, tempName } from '../../storage/temp-files.ts';
import { readCertificate } from '../../x509/certificate.ts';
import { requestedKeyInfo } from '../../x509/certification-request.ts';
import {
  exportPrivateKey,
  isKeyBlock,
  publicKeyHash,
  publicKeyInfo,
  readPrivateKey,
} from '../../x509/keys.ts';
import { type PemBlock, parsePem } from '../../x509/pem.ts';
import { type PendingRequests, requestFiles } from '../csr/pending-requests.ts';

/**
 * Where phosphor-certificate-manager kept the key of its last request, and its one key for RSA. Many programs
 * have a file of the first name, and endpoints of ours may; no other program has a file of the second.
 */
const keyFile = 'privkey.pem';
const rsaKeyFile = '.rsaprivkey.pem';
const requestFile = 'domain.csr';

/**
 * Makes pending requests of the keys that an upstream installation left beside a certificate, so that
 * the certificate of a request from before still finds its key. A file goes once its content is safe;
 * one that cannot be read stays, and so does one that is for no request of upstream's.
 * @throws when the disk refused one of them, which may be tried again
 */
export async function takeOverUpstreamKeys(
  path: string,
  pending: PendingRequests,
  now: Date,
  log: EventLog,
): Promise<void> {
  const at = (name: string) => join(dirname(path), name);
  for (const name of [keyFile, rsaKeyFile]) await clearMovedAside(at(name), isKeyBlock);
  const request = await findRequest(at(requestFile));
  let refused: unknown;
  for (const name of [keyFile, rsaKeyFile]) {
    const file = at(name);
    if (file === path) continue;
    try {
      const key = await readKey(file);
      if (!key) continue;
      const id = publicKeyHash(publicKeyInfo(createPublicKey(key)));
      const answered = request?.keyHash === id ? request : undefined;
      const isUpstreams = answered !== undefined || name === rsaKeyFile;
      if (!isUpstreams && !(await lacksKey(path, id))) continue;
      await takeOver(key, id, answered, pending, now);
      log.info('key of an earlier installation taken over', { path: file });
      // A service that keeps certificate and key in two files goes on to need both
      if (!isUpstreams) continue;
      // Moved and not removed: without it the next start would not know the key for upstream's
      if (answered?.path === at(requestFile))
        await renameSynced(answered.path, tempName(answered.path));
      await removeSynced(file);
    } catch (error) {
      if (isStorageError(error)) refused = error;
      log.warn('key of an earlier installation cannot be taken over', { path: file });
    }
  }
  if (refused !== undefined) throw refused;
  await clearMovedAside(at(requestFile), isRequestBlock);
}

interface FoundRequest {
  readonly path: string;
  readonly text: string;
  readonly keyHash: string;
}

/** @param answered the request for this key */
async function takeOver(
  key: KeyObject,
  id: string,
  answered: FoundRequest | undefined,
  pending: PendingRequests,
  now: Date,
): Promise<void> {
  if (await pending.find(id)) return;
  const aside = await pending.prepare();
  try {
    await writeNewFile(join(aside, requestFiles.key), exportPrivateKey(key), ownerOnly);
    if (answered) await writeNewFile(join(aside, requestFiles.request), answered.text, ownerOnly);
    await pending.adopt(aside, id, now);
  } finally {
    await pending.discard(aside).catch(() => undefined);
  }
}

/**
 * The key in a file; `undefined` where there is no file, or it holds more, as that of an endpoint does.
 * @throws where it cannot be read
 */
async function readKey(file: string): Promise<KeyObject | undefined> {
  const text = await tryReadRegularFile(file, noFollow);
  if (text === undefined) return undefined;
  const [block, ...more] = parsePem(text);
  if (!block) throw new TypeError('no PEM');
  return more.length === 0 && isKeyBlock(block) ? readPrivateKey(block) : undefined;
}

/** Whether a file holds the certificate of a key, and no key. */
async function lacksKey(path: string, keyHash: string): Promise<boolean> {
  const text = await tryReadRegularFile(path);
  try {
    const blocks = parsePem(text ?? '');
    if (blocks.some(isKeyBlock)) return false;
    return blocks.some(({ label, der }) => {
      if (label !== 'CERTIFICATE') return false;
      return publicKeyHash(publicKeyInfo(readCertificate(der).publicKey)) === keyHash;
    });
  } catch {
    return false;
  }
}

/** The last request of upstream, also where a take-over was cut short after it was moved aside. */
async function findRequest(path: string): Promise<FoundRequest | undefined> {
  for (const one of [path, ...(await tempFilesOf(path))]) {
    const block = await onlyBlock(one);
    if (!block || !isRequestBlock(block)) continue;
    try {
      const keyHash = publicKeyHash(requestedKeyInfo(block.der));
      return { path: one, text: block.text, keyHash };
    } catch {
      // One that says nothing belongs to no key
    }
  }
  return undefined;
}

/** Removes what stands aside of what was taken over; an endpoint may have such a name for a file in the making. */
async function clearMovedAside(
  path: string,
  isOfUpstream: (block: PemBlock) => boolean,
): Promise<void> {
  for (const one of await tempFilesOf(path)) {
    const block = await onlyBlock(one);
    if (block && isOfUpstream(block)) await rm(one, { force: true });
  }
}

/** What a file holds when it is a single block. @throws when the disk gives no answer */
async function onlyBlock(file: string): Promise<PemBlock | undefined> {
  const text = await tryReadRegularFile(file, noFollow);
  try {
    const [block, ...more] = parsePem(text ?? '');
    return more.length === 0 ? block : undefined;
  } catch {
    return undefined;
  }
}

function isRequestBlock({ label }: PemBlock): boolean {
  return label === 'CERTIFICATE REQUEST' || label === 'NEW CERTIFICATE REQUEST';
}
