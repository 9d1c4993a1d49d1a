import type { TrustBundleState } from '../../schemas/generated/validators.js';
import type { Certificate } from '../x509/certificate.ts';
import { sha256OfCa } from './bundle-content.ts';
import { type NamedCa, nameCas } from './member-names.ts';

/** What the state of a bundle says of one group. */
export type StoredGroup = TrustBundleState['groups'][string];
export type GroupContent = StoredGroup['content'];

/** What is to become of a group. */
export interface GroupPlan {
  /** The whole of it; the same as now where neither `adds` nor `removes` has anything. */
  readonly certificates: readonly Certificate[];
  readonly content: GroupContent;
  /** Fingerprints, in lower case. */
  readonly adds: readonly string[];
  readonly removes: readonly string[];
  /** Whether no CA may be left, which is an error otherwise. */
  readonly mayBeEmpty: boolean;
}

export const emptyGroup: StoredGroup = { follows: false, content: { ours: [], absent: [] } };

/** The CAs of the bundle for a group. */
export interface WantedCas {
  readonly revision: number;
  readonly certificates: readonly Certificate[];
  /** Whether there would be others if none were blocked. */
  readonly isEmptiedByBlock: boolean;
}

/** A group without what the operator blocked, however that came there. */
export function withoutBlocked(
  present: readonly Certificate[],
  content: GroupContent,
  blocked: ReadonlySet<string>,
  maxAbsent: number,
): GroupPlan {
  const certificates = present.filter((one) => !blocked.has(sha256OfCa(one)));
  const isBlocked = ({ sha256 }: NamedCa) => blocked.has(sha256);
  const ours = content.ours.filter((one) => !isBlocked(one));
  const absent = [...content.ours.filter(isBlocked), ...content.absent].slice(0, maxAbsent);
  return {
    certificates,
    content: { ...content, ours, absent },
    ...changes(present, certificates),
    mayBeEmpty: true,
  };
}

/**
 * A group that follows the bundle has its CAs and those that were added by hand: all that no load of the bundle put there.
 * One of both kinds counts as added by hand, and stays when the bundle no longer has it.
 * @param maxAbsent names of CAs that are kept which the bundle no longer has
 */
export function planBundleLoad(
  present: readonly Certificate[],
  { ours, absent }: GroupContent,
  { revision, certificates: wanted, isEmptiedByBlock }: WantedCas,
  maxAbsent: number,
): GroupPlan {
  const known = fingerprintsOf(ours);
  const manual = present.filter((one) => !known.has(sha256OfCa(one)));
  const manualOnes = new Set(manual.map(sha256OfCa));
  const own = wanted.filter((one) => !manualOnes.has(sha256OfCa(one)));
  const named = nameCas(own, [...ours, ...absent]);
  const certificates = [...manual, ...own];
  const there = new Set(certificates.map(sha256OfCa));
  const gone = [...ours, ...absent].filter(({ sha256 }) => !there.has(sha256));
  return {
    certificates,
    content: { revision, ours: [...named], absent: gone.slice(0, maxAbsent) },
    ...changes(present, certificates),
    mayBeEmpty: isEmptiedByBlock,
  };
}

/** The CAs of a file count as added by hand, also those that the bundle had put there. */
export function planFileLoad(
  present: readonly Certificate[],
  content: GroupContent,
  added: readonly Certificate[],
): GroupPlan {
  const there = new Set(present.map(sha256OfCa));
  const certificates = [...present, ...added.filter((one) => !there.has(sha256OfCa(one)))];
  const manual = new Set(added.map(sha256OfCa));
  const others = ({ sha256 }: NamedCa) => !manual.has(sha256);
  return {
    certificates,
    content: {
      ...content,
      ours: content.ours.filter(others),
      absent: content.absent.filter(others),
    },
    ...changes(present, certificates),
    mayBeEmpty: false,
  };
}

/**
 * What became of a load that was begun when the program, or the manager, ended. The manager makes all of a change or
 * nothing, so the group says it, whatever else was done to it by hand since.
 */
export function settleIntention(group: StoredGroup, present: readonly Certificate[]): StoredGroup {
  const { intention, ...settled } = group;
  if (!intention) return group;
  const there = new Set(present.map(sha256OfCa));
  const isDone =
    intention.adds.every((sha256) => there.has(sha256)) &&
    !intention.removes.some((sha256) => there.has(sha256));
  return isDone ? { ...settled, content: intention.content } : settled;
}

function changes(before: readonly Certificate[], after: readonly Certificate[]) {
  const [old, next] = [before, after].map((list) => new Set(list.map(sha256OfCa)));
  return {
    adds: [...(next ?? [])].filter((sha256) => !old?.has(sha256)),
    removes: [...(old ?? [])].filter((sha256) => !next?.has(sha256)),
  };
}

function fingerprintsOf(list: readonly NamedCa[]): ReadonlySet<string> {
  return new Set(list.map(({ sha256 }) => sha256));
}
