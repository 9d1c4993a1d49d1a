import { createPublicKey } from 'node:crypto';
import { type CsrParameters, withAbsent } from '../manager/csr/parameters.ts';
import { requestedKeyInfo } from '../x509/certification-request.ts';
import { type KeyAlgorithm, publicKeyHash } from '../x509/keys.ts';
import { parsePem } from '../x509/pem.ts';
import type { PendingKey } from './device.ts';

/** What the manager is asked for. The name goes into the template of CMP: the CSR brings the key alone. */
export function keyParameters(key: KeyAlgorithm): CsrParameters {
  const name = { CommonName: 'cmp' };
  if (key.kind === 'RSA')
    return withAbsent({ ...name, KeyPairAlgorithm: 'RSA', KeyBitLength: BigInt(key.bits) });
  return withAbsent({ ...name, KeyPairAlgorithm: 'EC', KeyCurveId: key.curve });
}

/** @param pem the CSR that the manager made */
export function keyOf(pem: string): PendingKey {
  const [request] = parsePem(pem);
  const info = requestedKeyInfo(request?.der ?? Buffer.alloc(0));
  const publicKey = createPublicKey({ key: info, format: 'der', type: 'spki' });
  return { id: publicKeyHash(info), publicKey };
}
