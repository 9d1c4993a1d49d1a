import type { TrustBundleState } from '../../schemas/generated/validators.js';
import { type BundleFault, type BundleFaultCode, bundleFaults } from './bundle-fault.ts';
import type {
  BundleFailure,
  BundleVersion,
  DownloadRecord,
  StoredVersion,
} from './bundle-status.ts';
import type { BundleCopy } from './copy-store.ts';

/** What the status shows of what is stored. */

type Stored<K extends keyof TrustBundleState> = NonNullable<TrustBundleState[K]>;

export function shownVersion({ revision, date }: Stored<'server'>): BundleVersion {
  return { revision, date: new Date(date) };
}

export function shownFailure({ code, reason, at }: Stored<'failure'>): BundleFailure {
  return { code: codeOf(code), reason, at: new Date(at) };
}

export function shownRecord({
  at,
  trigger,
  version,
  result,
}: Stored<'downloads'>[number]): DownloadRecord {
  return {
    ...{ at: new Date(at), trigger },
    ...(version && { version: shownVersion(version) }),
    result: result === 'updated' || result === 'unchanged' ? result : codeOf(result),
  };
}

export function storedVersion({ manifest, summary }: BundleCopy): StoredVersion {
  const { revision, date, nextUpdate, target } = manifest;
  const { signer, root, authorities, duplicates } = summary;
  return {
    ...{ revision, date, nextUpdate, sha256: target.sha256 },
    ...{ count: authorities.length, duplicates },
    ...{ signer: signer.subject, signerNotAfter: new Date(signer.notAfter * 1000) },
    ...{ root: root.subject, rootNotAfter: new Date(root.notAfter * 1000) },
  };
}

/** As it is stored. */
export function failureOf({ code, message }: BundleFault, at: number) {
  return { code, reason: message, at };
}

export function shownDate(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

/** A file of another version of the program may have a code that this one does not know. */
function codeOf(text: string): BundleFaultCode {
  return Object.hasOwn(bundleFaults, text) ? (text as BundleFaultCode) : 'internal';
}
