import { createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyedCandidate } from './checks/checks.ts';
import { CertError } from './errors.ts';
import type { Upload } from './upload.ts';
import { type Certificate, isIssuedBy } from './x509/certificate.ts';
import { publicKeyHash, publicKeyInfo, readPrivateKey } from './x509/keys.ts';

/** Where keys that are not in an upload may wait: pending requests, and the pair in service. */
export interface KeySource {
  /** The private key whose public half has this hash, `undefined` when there is none. */
  find(publicKeyHash: string): Promise<KeyObject | undefined>;
  isEmpty(): Promise<boolean>;
}

/**
 * Brings a server or client certificate together with its key: one in the same upload, else one
 * that waits for it. The leaf is the certificate that a key fits, wherever it stands in the file.
 * @throws CertError `key-encrypted`, `key-malformed`, `key-mismatch` when no known key fits,
 *   `key-missing` when none is known at all
 */
export async function pairWithKey(upload: Upload, waiting: KeySource): Promise<KeyedCandidate> {
  const { certificates } = upload;
  const keys = upload.keyBlocks.map(readPrivateKey);
  const byHash = new Map(keys.map((key) => [hashOf(createPublicKey(key)), key]));
  for (const leaf of certificates) {
    const hash = hashOf(leaf.publicKey);
    const key = keys.length > 0 ? byHash.get(hash) : await waiting.find(hash);
    if (key) return { leaf, key, chain: chainOf(leaf, certificates) };
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

/** The rest of an upload in serving order: each issuer after what it issued, strangers last. */
function chainOf(leaf: Certificate, certificates: readonly Certificate[]): Certificate[] {
  const rest = new Map(
    certificates
      .filter(({ fingerprint }) => fingerprint !== leaf.fingerprint)
      .map((certificate) => [certificate.fingerprint, certificate]),
  );
  const chain: Certificate[] = [];
  let last = leaf;
  for (;;) {
    const issuer = [...rest.values()].find((candidate) => isIssuedBy(last, candidate));
    if (!issuer) return [...chain, ...rest.values()];
    chain.push(issuer);
    rest.delete(issuer.fingerprint);
    last = issuer;
  }
}

function hashOf(publicKey: KeyObject): string {
  return publicKeyHash(publicKeyInfo(publicKey));
}
