import { type Certificate, subjectText } from '../x509/certificate.ts';
import { sha256OfCa } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import type { PolicyCount } from './bundle-status.ts';
import type { BundleCopy } from './copy-store.ts';
import type { Manifest } from './manifest.ts';
import type { BundlePolicy } from './settings.ts';

type Fact = { readonly sha256: string; readonly notAfter: number };

/** Why a CA of a bundle is kept out of the groups; `undefined` where it is not. */
function exclusion(
  { sha256, notAfter }: Fact,
  { removed, constraints }: Pick<Manifest, 'removed' | 'constraints'>,
  policy: BundlePolicy,
  now: number,
): 'blocked' | 'removed' | 'expired' | 'constrained' | undefined {
  if (policy.blocked.includes(sha256)) return 'blocked';
  // Distrust goes before trust, should a manifest say both
  if (removed.some((one) => one.sha256 === sha256)) return 'removed';
  if (policy.filterExpired && notAfter < now) return 'expired';
  const isConstrained = constraints.some(
    (one) => one.sha256 === sha256 && (one.distrustIssuedAfter ?? one.purposes) !== undefined,
  );
  return policy.filterConstrained && isConstrained ? 'constrained' : undefined;
}

/** The CAs that groups get. @param now seconds since 1970 */
export function allowedCas(
  certificates: readonly Certificate[],
  manifest: Manifest,
  policy: BundlePolicy,
  now: number,
): readonly Certificate[] {
  return certificates.filter((one) => {
    const fact = { sha256: sha256OfCa(one), notAfter: one.notAfter };
    return exclusion(fact, manifest, policy, now) === undefined;
  });
}

/** @throws BundleFault `blocked` */
export function refuseBlocked(
  certificates: readonly Certificate[],
  { blocked }: BundlePolicy,
): void {
  const found = certificates.find((one) => blocked.includes(sha256OfCa(one)));
  if (found)
    throw new BundleFault(
      'blocked',
      `the file is refused: ${subjectText(found)} is blocked by the configuration`,
    );
}

/** @param now seconds since 1970 */
export function countPolicy(
  copy: BundleCopy | undefined,
  policy: BundlePolicy,
  now: number,
): PolicyCount {
  const reasons = (copy?.summary.authorities ?? []).map(
    (one) => copy && exclusion(one, copy.manifest, policy, now),
  );
  const count = (wanted: string) => reasons.filter((reason) => reason === wanted).length;
  return {
    blocked: policy.blocked.length,
    blockedInBundle: count('blocked'),
    expired: count('expired'),
    constrained: count('constrained'),
  };
}
