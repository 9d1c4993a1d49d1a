import type { BundleCopy } from './copy-store.ts';

/** What a version of a bundle changes of the one before. */
export interface VersionDifference {
  /** Hexadecimal SHA-256 of certificates. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Of the CAs that there were. */
  readonly removedPercent: number;
}

export function differenceOf(before: BundleCopy | undefined, after: BundleCopy): VersionDifference {
  const old = fingerprintsOf(before);
  const next = fingerprintsOf(after);
  const added = [...next].filter((one) => !old.has(one));
  const removed = [...old].filter((one) => !next.has(one));
  const removedPercent = old.size === 0 ? 0 : Math.round((100 * removed.length) / old.size);
  return { added, removed, removedPercent };
}

function fingerprintsOf(copy: BundleCopy | undefined): ReadonlySet<string> {
  return new Set(copy?.summary.authorities.map(({ sha256 }) => sha256));
}
