import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { writeNewFile } from '../../storage/atomic-file.ts';
import { syncDirectory } from '../../storage/directory.ts';
import { ownerOnly } from '../../storage/file-mode.ts';
import { makeRequest } from '../../x509/certification-request.ts';
import { exportPrivateKey, generateKey, publicKeyHash, publicKeyInfo } from '../../x509/keys.ts';
import { requestFiles } from './pending-requests.ts';
import type { CsrPlan } from './plan.ts';

/** What the manager hands to a worker. */
export interface CsrJob {
  /** An empty directory that only the manager can enter. */
  readonly directory: string;
  readonly plan: CsrPlan;
}

/**
 * The whole work of a CSR worker: a new key pair, its request, both in files.
 * @returns the hash of the public key, the only thing that leaves the worker
 */
export async function makeRequestFiles({ directory, plan }: CsrJob): Promise<string> {
  const key = generateKey(plan.algorithm);
  const request = makeRequest(plan.content, key);
  await writeNewFile(join(directory, requestFiles.key), exportPrivateKey(key), ownerOnly);
  await writeNewFile(join(directory, requestFiles.request), request, ownerOnly);
  await syncDirectory(directory);
  return publicKeyHash(publicKeyInfo(createPublicKey(key)));
}
