import { type ExpiryState, expiryOf } from '../../manager/expiry.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Condition } from './findings.ts';

/** What tells where a certificate stands in its life. */
export interface Lifetime {
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  /** Days before its end at which a certificate needs attention. */
  readonly expiryThresholds: readonly number[];
}

/** From the best to the worst. */
const healths = ['OK', 'Warning', 'Critical'] as const;

export type Health = (typeof healths)[number];

const healthOfState: Readonly<Record<ExpiryState, Health>> = {
  NotYetValid: 'Warning',
  Valid: 'OK',
  Expiring: 'Warning',
  Expired: 'Critical',
};

/** Redfish `Status` of a certificate that is in service, whatever its dates and its conditions say. */
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

/**
 * The worst of what its dates and its conditions make of a certificate.
 * @param now milliseconds since 1970
 */
export function healthOf(
  certificate: Certificate,
  now: number,
  thresholds: readonly number[],
  conditions: readonly Condition[] = [],
): Health {
  const ofDates = healthOfState[expiryOf(certificate, now, thresholds).state];
  const all: readonly string[] = [ofDates, ...conditions.map(({ Severity }) => Severity)];
  return healths.findLast((health) => all.includes(health)) ?? 'OK';
}
