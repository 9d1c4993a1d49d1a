import type { GroupStatus } from './bundle-status.ts';
import type { BundleCopy } from './copy-store.ts';
import { day } from './schedule.ts';

/** A root is replaced by hand on every device, which takes its time. */
const rootWarningDays = 90;

export interface WarningFacts {
  readonly copy: BundleCopy | undefined;
  readonly isEnabled: boolean;
  readonly isClockSuspect: boolean;
  readonly staleness: 'fresh' | 'stale' | 'refused';
  /** Milliseconds since 1970. */
  readonly now: number;
  /** CAs of the version before that the one in force lacks, in percent; beyond what the policy lets pass. */
  readonly removedPercent: number | undefined;
  readonly groups: readonly GroupStatus[];
}

/** What operators should know of a bundle, as sentences. */
export function bundleWarnings(facts: WarningFacts): readonly string[] {
  const { copy, now, staleness, removedPercent } = facts;
  const warnings: string[] = [];
  if (!facts.isEnabled)
    warnings.push(
      'Automatic download is deactivated: a CA that is withdrawn stays trusted until a download by hand.',
    );
  if (facts.isClockSuspect)
    warnings.push(
      'The clock stands before what is known to have happened; validity is judged by that.',
    );
  if (staleness !== 'fresh')
    warnings.push(
      staleness === 'stale'
        ? 'The bundle has not been confirmed by its server for too long.'
        : 'The bundle has not been confirmed for so long that it is not loaded into groups any more.',
    );
  if (removedPercent !== undefined)
    warnings.push(`The last update removed ${removedPercent} percent of the CAs.`);
  if (copy) {
    const { subject, notAfter } = copy.summary.root;
    if (notAfter * 1000 < now + rootWarningDays * day)
      warnings.push(`The pinned root ${subject} ends on ${dateOf(notAfter)}.`);
    const { signer } = copy.summary;
    if (signer.notAfter * 1000 < copy.manifest.nextUpdate.getTime())
      warnings.push(
        `The certificate of the signer ${signer.subject} ends on ${dateOf(signer.notAfter)}, before the next update.`,
      );
  }
  const removed = new Set(copy?.manifest.removed.map(({ sha256 }) => sha256));
  for (const { name: group, members } of facts.groups)
    for (const { name, source, sha256 } of members)
      if (source === 'manual' && removed.has(sha256))
        warnings.push(
          `The bundle names ${name} as removed; it stays in the group ${group}, where it was added by hand.`,
        );
  return warnings;
}

function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
