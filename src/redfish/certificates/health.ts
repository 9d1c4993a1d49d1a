import { type ExpiryState, expiryOf } from '../../manager/expiry.ts';
import type { Certificate } from '../../manager/x509/certificate.ts';
import type { Condition } from './findings.ts';

/** What tells where a certificate stands in its life. */
export interface Lifetime {
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  /** Days before its end at which a certificate needs attention. */
  readonly expiryThresholds: readonly number[];
}

export type Health = (typeof healths)[ExpiryState];

const healths = {
  NotYetValid: 'Warning',
  Valid: 'OK',
  Expiring: 'Warning',
  Expired: 'Critical',
} as const satisfies Record<ExpiryState, string>;

/** Redfish `Status` of a certificate that is in service, whatever its dates say. */
export function statusOf(
  certificate: Certificate,
  { now, expiryThresholds }: Lifetime,
  conditions: readonly Condition[] = [],
) {
  return {
    State: 'Enabled',
    Health: healthOf(certificate, now(), expiryThresholds, conditions),
    ...(conditions.length > 0 && { Conditions: conditions }),
  };
}

/** The worst of what its dates and its conditions say. @param now milliseconds since 1970 */
export function healthOf(
  certificate: Certificate,
  now: number,
  thresholds: readonly number[],
  conditions: readonly Condition[],
): Health {
  const health = healths[expiryOf(certificate, now, thresholds).state];
  return health === 'OK' && conditions.length > 0 ? 'Warning' : health;
}
