import { type Certificate, isIssuedBy, isSelfIssued } from '../../x509/certificate.ts';

/**
 * Finds what is missing between a chain and its root among CAs that the device knows. The root itself is left out: a
 * peer that trusts it has it.
 * @param now seconds since 1970
 * @param max how many are missing at most
 */
export function missingIssuers(
  leaf: Certificate,
  chain: readonly Certificate[],
  known: readonly Certificate[],
  now: number,
  max: number,
): readonly Certificate[] {
  const seen = new Set([leaf, ...chain].map(({ fingerprint }) => fingerprint));
  const issuerAmong = (certificates: readonly Certificate[], of: Certificate) =>
    certificates.find((one) => one !== of && isIssuedBy(of, one));
  let last = leaf;
  // A loop of issuers is no longer than the chain
  for (let left = chain.length; left > 0; left -= 1) last = issuerAmong(chain, last) ?? last;
  const missing: Certificate[] = [];
  const usable = known.filter(
    (one) => !isSelfIssued(one) && one.notBefore <= now && now <= one.notAfter,
  );
  while (missing.length < max && !isSelfIssued(last)) {
    const next = issuerAmong(usable, last);
    if (!next || seen.has(next.fingerprint)) break;
    seen.add(next.fingerprint);
    missing.push(next);
    last = next;
  }
  return missing;
}
