import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { Device } from '../device.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import type { Journal } from '../journal.ts';
import type { CaProfile, CertificatePolicy } from '../settings.ts';
import type { DeviceFacts } from '../subject.ts';
import type { Random } from '../transaction/transaction.ts';

/** What the enrolment of one certificate works with. */
export interface Context {
  readonly policy: CertificatePolicy;
  readonly profile: CaProfile;
  readonly device: Device;
  readonly journal: Journal;
  readonly facts: DeviceFacts;
  /** How much is read of a certificate that comes from the CA. */
  readonly content: ContentLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: Random;
  /** Hands a message to the CA, and brings the answer. @throws EnrolmentFault */
  readonly send: (profile: CaProfile, message: Buffer) => Promise<Buffer>;
  /** Why a service does not show a certificate; `undefined` when it does. */
  readonly probe: (address: string, certificate: Buffer) => Promise<string | undefined>;
  readonly log: Log;
}

export function secondsOf({ now }: Pick<Context, 'now'>): number {
  return Math.floor(now() / 1000);
}

/** Asks the manager. @throws EnrolmentFault `device` instead of a CertError */
export async function onDevice<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof CertError)) throw cause;
    throw new EnrolmentFault('device', `${what}: ${reasonOf(cause)}`, { cause });
  }
}
