import type { Configuration } from '../../platform/configuration.ts';
import type { Manager } from '../road.ts';

/** What an examination found. */
export interface Finding {
  readonly check: string;
  /** An endpoint, a certificate or a file. */
  readonly where: string;
  readonly verdict: 'ok' | 'warning' | 'fault' | 'skipped';
  readonly text: string;
  /** What to do next; null where there is nothing to do. */
  readonly next: string | null;
}

/** The same without the name of the check, which the examination has. */
export type Found = Omit<Finding, 'check'>;

export function fault(where: string, text: string, next: string): Found {
  return { where, verdict: 'fault', text, next };
}

export function warning(where: string, text: string, next: string): Found {
  return { where, verdict: 'warning', text, next };
}

/** What examinations look at. */
export interface Patient {
  readonly manager: Manager;
  /** Absent where its file cannot be read. */
  readonly configuration: Configuration | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where the policy of the bus is; absent where that is not known. */
  readonly policyDirectories: readonly string[] | undefined;
  /** What systemd has of a unit; `undefined` without a systemd. */
  readonly unitState: (unit: string) => Promise<string | undefined>;
}

/** One question about a device, under the name of its check. */
export interface Examination {
  readonly check: string;
  /** What `ok` means. */
  readonly good: string;
  /** What it looks at is on the device alone, or is told by our own Redfish services beyond the standard. */
  readonly reach?: 'device' | 'extension';
  /** @returns what is wrong; nothing when all is well */
  examine(patient: Patient): Promise<readonly Found[]>;
}

/** An examination that fails says why, and keeps no other from being made. */
export async function findingsOf(
  { check, good, examine }: Examination,
  patient: Patient,
  reasonOf: (error: unknown) => string,
): Promise<readonly Finding[]> {
  try {
    const found = await examine(patient);
    if (found.length > 0) return found.map((finding) => ({ check, ...finding }));
    return [{ check, where: 'device', verdict: 'ok', text: good, next: null }];
  } catch (error) {
    const text = `this could not be examined: ${reasonOf(error)}`;
    return [{ check, where: 'device', verdict: 'skipped', text, next: null }];
  }
}
