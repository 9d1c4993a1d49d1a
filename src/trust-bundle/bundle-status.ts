import type { BundleFaultCode } from './bundle-fault.ts';
import type { EffectiveSettings } from './settings.ts';

/** The one that applies first, in this order, but for `idle`. */
export const bundleStates = [
  'not configured',
  'checking',
  'downloading',
  'verifying',
  'loading',
  'deactivated',
  'error',
  'stale',
  'idle',
] as const;

export type BundleState = (typeof bundleStates)[number];

export interface BundleFailure {
  readonly code: BundleFaultCode;
  readonly reason: string;
  readonly at: Date;
}

/** A version of the bundle. */
export interface BundleVersion {
  readonly revision: number;
  /** That the manifest gives it. */
  readonly date: Date;
}

/** The copy on the device. */
export interface StoredVersion extends BundleVersion {
  readonly nextUpdate: Date;
  /** Different CAs. */
  readonly count: number;
  /** Hexadecimal SHA-256 of the target. */
  readonly sha256: string;
  readonly signer: string;
  readonly signerNotAfter: Date;
  readonly root: string;
  readonly rootNotAfter: Date;
  /** CAs that the target had more than once. */
  readonly duplicates: number;
}

export interface DownloadRecord {
  readonly at: Date;
  readonly trigger: 'timer' | 'command';
  /** Absent when no manifest was read. */
  readonly version?: BundleVersion;
  /** Or the code of the failure. */
  readonly result: 'updated' | 'unchanged' | BundleFaultCode;
}

/** What the device's own policy does to the bundle. */
export interface PolicyCount {
  readonly blocked: number;
  /** Of those, how many are in the bundle. */
  readonly blockedInBundle: number;
  readonly expired: number;
  readonly constrained: number;
}

export interface GroupMember {
  /** Made from the subject; stays the same while the bundle has the CA, and when it comes back. */
  readonly name: string;
  /** Hexadecimal SHA-256 of the certificate. */
  readonly sha256: string;
  readonly source: 'bundle' | 'manual';
  /** Absent: the bundle had it, and does no longer. */
  readonly state: 'present' | 'absent';
}

export interface GroupStatus {
  readonly name: string;
  /** Whether the configuration names it, or a command loaded the bundle into it. */
  readonly origin: 'configuration' | 'run time';
  readonly state: 'loaded' | 'waiting' | 'error';
  /** Of the bundle that is in it. */
  readonly revision: number | undefined;
  readonly members: readonly GroupMember[];
  readonly lastFailure: BundleFailure | undefined;
}

export interface BundleStatus {
  readonly name: string;
  readonly state: BundleState;
  readonly settings: EffectiveSettings;
  /** What there is on the device; `undefined` before the first download. */
  readonly version: StoredVersion | undefined;
  /** The highest revision that was ever verified; nothing below it is taken. */
  readonly highestRevision: number;
  /** What the server had when it was last asked. */
  readonly serverVersion: BundleVersion | undefined;
  readonly lastCheck: Date | undefined;
  readonly lastSuccess: Date | undefined;
  readonly nextPoll: Date | undefined;
  /** Of the last poll; `undefined` after a success. */
  readonly lastFailure: BundleFailure | undefined;
  /** What the operator should know, as sentences. */
  readonly warnings: readonly string[];
  readonly staleness: 'fresh' | 'stale' | 'refused';
  readonly policy: PolicyCount;
  /** Newest first, ten at most. */
  readonly downloads: readonly DownloadRecord[];
  readonly groups: readonly GroupStatus[];
}
