import { type ExpiryState, expiryOf } from '../../manager/expiry.ts';
import type { Certificate } from '../../manager/x509/certificate.ts';

/** What tells where a certificate stands in its life. */
export interface Lifetime {
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
  /** Days before its end at which a certificate needs attention. */
  readonly expiryThresholds: readonly number[];
}

const healths = {
  NotYetValid: 'Warning',
  Valid: 'OK',
  Expiring: 'Warning',
  Expired: 'Critical',
} as const satisfies Record<ExpiryState, string>;

/** Redfish `Status` of a certificate that is in service, whatever its dates say. */
export function statusOf(certificate: Certificate, { now, expiryThresholds }: Lifetime) {
  const { state } = expiryOf(certificate, now(), expiryThresholds);
  return { State: 'Enabled', Health: healths[state] };
}
