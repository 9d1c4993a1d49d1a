import { isDeepStrictEqual } from 'node:util';
import type { Certificate } from '../x509/certificate.ts';
import type { Finding } from './checks/findings.ts';
import type { InstalledCertificate } from './installed-certificate.ts';

/** Where a certificate stands in its life. `Expiring` begins at the first threshold. */
export type ExpiryState = 'NotYetValid' | 'Valid' | 'Expiring' | 'Expired';

export interface Expiry {
  readonly state: ExpiryState;
  /** Whole days until it ends; negative once it has ended. */
  readonly daysLeft: number;
}

/** What an endpoint tells of a certificate whose time moves on. */
export interface ExpiryNews {
  readonly installed: InstalledCertificate;
  readonly expiry: Expiry;
  /** False when the certificate is seen for the first time. */
  readonly changed: boolean;
  /** The lowest threshold that was passed since the last look, in days; 0 is the end itself. */
  readonly threshold?: number;
}

const daySeconds = 86_400;

/**
 * @param now milliseconds since 1970
 * @param thresholds days before the end at which an event is sent
 */
export function expiryOf(
  { notBefore, notAfter }: Certificate,
  now: number,
  thresholds: readonly number[],
): Expiry {
  const left = notAfter - Math.floor(now / 1000);
  const daysLeft = Math.floor(left / daySeconds);
  if (notBefore * 1000 > now) return { state: 'NotYetValid', daysLeft };
  if (left < 0) return { state: 'Expired', daysLeft };
  const expiring = left <= Math.max(0, ...thresholds) * daySeconds;
  return { state: expiring ? 'Expiring' : 'Valid', daysLeft };
}

/**
 * What is to be said of a certificate that goes into service outside of its validity. It is none of the findings that the
 * manager publishes: time, and the clock of the device, change it.
 */
export function validityWarning(certificate: Certificate, now: number): Finding | undefined {
  const { notBefore, notAfter } = certificate;
  const clock = `the clock of the device is at ${isoTime(now)}`;
  switch (expiryOf(certificate, now, []).state) {
    case 'Expired':
      return { code: 'expired', text: `it expired at ${isoTime(notAfter * 1000)}; ${clock}` };
    case 'NotYetValid':
      return { code: 'not-yet-valid', text: `it begins at ${isoTime(notBefore * 1000)}; ${clock}` };
    default:
      return undefined;
  }
}

function isoTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/**
 * The lowest threshold that lies behind, in days; 0 is the end itself.
 * @param now milliseconds since 1970
 * @returns infinity when none does
 */
export function passedThreshold(
  certificate: Certificate,
  now: number,
  thresholds: readonly number[],
): number {
  const { state } = expiryOf(certificate, now, thresholds);
  if (state === 'Expired') return 0;
  if (state === 'NotYetValid') return Number.POSITIVE_INFINITY;
  const left = certificate.notAfter - now / 1000;
  return Math.min(...thresholds.filter((days) => left <= days * daySeconds));
}

/**
 * Notices what time does to certificates. Each threshold is told once when it is passed; a certificate
 * that is past one when it is first seen is told of too, so that a restart loses none. A
 * clock that was set back makes a threshold count again.
 */
export class ExpiryWatch {
  readonly #thresholds: readonly number[];
  #known = new Map<string, { expiry: Expiry; passed: number }>();

  constructor(thresholds: readonly number[]) {
    this.#thresholds = thresholds;
  }

  /** @returns what changed since the last look */
  look(list: readonly InstalledCertificate[], now: number): ExpiryNews[] {
    const before = this.#known;
    this.#known = new Map();
    return list.flatMap((installed): ExpiryNews[] => {
      const { certificate } = installed;
      const key = `${installed.id} ${certificate.fingerprint}`;
      const expiry = expiryOf(certificate, now, this.#thresholds);
      const passed = passedThreshold(certificate, now, this.#thresholds);
      const known = before.get(key);
      this.#known.set(key, { expiry, passed });
      const told = known?.passed ?? Number.POSITIVE_INFINITY;
      const changed = known !== undefined && !isDeepStrictEqual(known.expiry, expiry);
      if (passed < told) return [{ installed, expiry, changed, threshold: passed }];
      return changed ? [{ installed, expiry, changed }] : [];
    });
  }
}
