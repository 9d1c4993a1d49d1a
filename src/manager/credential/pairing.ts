import type { KeyObject } from 'node:crypto';
import { CertError } from '../../core/cert-error.ts';
import { type Certificate, isSelfIssued } from '../../x509/certificate.ts';
import { publicKeyHash, publicKeyInfo, readPrivateKey } from '../../x509/keys.ts';
import type { Upload } from '../upload.ts';

/** Where keys that are not in an upload may wait: pending requests, and the pair in service. */
export interface KeySource {
  /** The private key whose public half has this hash, `undefined` when there is none. */
  find(publicKeyHash: string): Promise<KeyObject | undefined>;
  isEmpty(): Promise<boolean>;
}

/** A certificate and the private key for it. */
export interface Match {
  readonly leaf: Certificate;
  readonly key: KeyObject;
}

/**
 * Finds the certificate of an upload that there is a key for: one in the same upload, else one that waits for it.
 * It is the leaf wherever it stands in the file; of several for one key a valid one, and of those one that another CA
 * issued: a self-signed one was most likely there before it.
 * @param now seconds since 1970
 * @throws CertError `key-encrypted`, `key-malformed`, `key-mismatch` when no known key fits,
 *   `key-missing` when none is known at all
 */
export async function matchKey(upload: Upload, waiting: KeySource, now: number): Promise<Match> {
  const rank = (one: Certificate) => {
    const isValid = one.notBefore <= now && now <= one.notAfter;
    return (isValid ? 2 : 0) + (isSelfIssued(one) ? 0 : 1);
  };
  const certificates = [...upload.certificates].sort((a, b) => rank(b) - rank(a));
  const keys = upload.keyBlocks.map(readPrivateKey);
  for (const leaf of certificates) {
    const key =
      keys.length > 0
        ? keys.find((one) => leaf.x509.checkPrivateKey(one))
        : await waiting.find(publicKeyHash(publicKeyInfo(leaf.publicKey)));
    if (key) return { leaf, key };
  }
  if (keys.length > 0) {
    throw new CertError('key-mismatch', 'the private key is not that of the certificate');
  }
  if (await waiting.isEmpty()) {
    throw new CertError(
      'key-missing',
      'the file holds no private key and no request waits for one',
    );
  }
  throw new CertError(
    'key-mismatch',
    'the file holds no private key, and the certificate is for none of the keys that wait for one',
  );
}

/**
 * The certificate of an upload that nothing else in it says it was issued by: the one to check first. The checks
 * judge the signatures, of which there may be too many to try them here.
 */
export function presumedLeaf({ certificates }: Upload): Certificate {
  const [first] = certificates;
  const leaf = certificates.find(
    (one) => !certificates.some((other) => other !== one && other.x509.checkIssued(one.x509)),
  );
  const found = leaf ?? first;
  if (!found) throw new CertError('no-certificate', 'the file holds no PEM certificate');
  return found;
}
