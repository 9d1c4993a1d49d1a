import { type Certificate, isIssuedBy } from '../../x509/certificate.ts';

type Verdict = (certificate: Certificate, issuer: Certificate) => boolean;

/**
 * `isIssuedBy` that verifies the signature of a pair of certificates once. Two certificates never
 * change their verdict, so the pairs are known by their fingerprints alone.
 * @param most pairs to remember; the oldest makes room. The default takes a few megabytes at most
 */
export function memoizedIsIssuedBy(max = 10_000, decide: Verdict = isIssuedBy): Verdict {
  const verdicts = new Map<string, boolean>();
  return (certificate, issuer) => {
    const pair = `${certificate.fingerprint} ${issuer.fingerprint}`;
    const known = verdicts.get(pair);
    if (known !== undefined) return known;
    const verdict = decide(certificate, issuer);
    const [oldest] = verdicts.keys();
    if (verdicts.size >= max && oldest !== undefined) verdicts.delete(oldest);
    verdicts.set(pair, verdict);
    return verdict;
  };
}
