import { createHash } from 'node:crypto';
import type { Certificate } from '../x509/certificate.ts';
import type { RenewBefore } from './settings.ts';

/** When what is due, as functions of the certificate and the clock alone. Times are in seconds since 1970. */

type Validity = Pick<Certificate, 'notBefore' | 'notAfter' | 'fingerprint'>;

/**
 * When a certificate is renewed. The moment is the same at each look, and differs between devices, so that a CA does not get
 * all of them at once. As long before the end as the whole life, or longer, would have it renewed for ever: then a third of
 * the life counts.
 */
export function renewalTime(certificate: Validity, before: RenewBefore): number {
  const { notBefore, notAfter, fingerprint } = certificate;
  const lifetime = notAfter - notBefore;
  const asked = 'hours' in before ? before.hours * 3600 : (lifetime * before.percent) / 100;
  const lead = asked < lifetime ? asked : lifetime / 3;
  const [first = 0] = createHash('sha256').update(fingerprint).digest();
  const jitter = (lead / 10) * (first / 255);
  return notAfter - lead + jitter;
}

export function isAdjusted({ notBefore, notAfter }: Validity, before: RenewBefore): boolean {
  return 'hours' in before && before.hours * 3600 >= notAfter - notBefore;
}

export interface Warning {
  readonly hours: number;
  readonly repeatHours: number;
}

/**
 * Whether operators are to be warned now of the end of a certificate: so many hours before it, at the end, and repeatedly
 * after each of them. A warning that comes late leaves the next one where it is.
 * @param last when they were warned of it last; 0 when they were not
 */
export function isWarningDue(
  { notAfter }: Validity,
  { hours, repeatHours }: Warning,
  last: number,
  now: number,
): boolean {
  const first = now < notAfter ? notAfter - hours * 3600 : notAfter;
  if (now < first) return false;
  const pause = repeatHours * 3600;
  const repeats = pause > 0 ? Math.floor((now - first) / pause) : 0;
  return last < first + repeats * pause;
}

/**
 * The line that operators, and scripts of other vendors' devices, look for. A minute that has begun counts: the clock is looked
 * at every half minute, and a warning of 6 hours says 6 hours.
 */
export function expiryLine(name: string, endpoint: string, notAfter: number, now: number): string {
  if (notAfter <= now) return `Certificate ${name} used by ${endpoint} has expired.`;
  const minutes = Math.ceil((notAfter - now) / 60);
  const left = `${Math.floor(minutes / 60)} hour(s) and ${minutes % 60} minute(s)`;
  return `Certificate ${name} used by ${endpoint} will expire in ${left}.`;
}

const minute = 60;
const day = 86_400;

/**
 * The pause before the next attempt after so many that failed in a row: 1, 2, 4 … 60 minutes, and less the nearer the end is.
 * @param isStuck only an operator can help; one attempt a day notices when the CA's did
 * @param random 0 to 1
 */
export function retryPause(
  failures: number,
  secondsLeft: number,
  isStuck: boolean,
  random: number,
): number {
  if (isStuck) return day;
  const cap = secondsLeft < 3600 ? 2 * minute : secondsLeft < 6 * 3600 ? 10 * minute : 60 * minute;
  const pause = Math.min(minute * 2 ** Math.min(failures - 1, 10), cap);
  return pause * (0.8 + 0.4 * random);
}
