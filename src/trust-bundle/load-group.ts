import { isDeepStrictEqual } from 'node:util';
import { CertError } from '../core/cert-error.ts';
import type { EdgeEndpoints } from '../manager/edge-endpoints.ts';
import type { Certificate } from '../x509/certificate.ts';
import { pemContent } from '../x509/containers.ts';
import { sha256OfCa } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import {
  emptyGroup,
  type GroupContent,
  type GroupPlan,
  type StoredGroup,
  settleIntention,
} from './group-content.ts';

/** What is remembered of the groups; a change is on the disk before it takes effect. */
export interface GroupRecords {
  find(group: string): StoredGroup | undefined;
  write(group: string, record: StoredGroup): Promise<void>;
}

export type PlanLoad = (present: readonly Certificate[], content: GroupContent) => GroupPlan;

/** Another client may change a group between the look at it and the change; more often than this it is no accident. */
const attempts = 5;

/**
 * Makes a group what a plan says, in one change of the manager, if it is anything else. A group that is not there comes
 * with it. What is intended is on the disk before, so that a program that was killed knows afterwards which CAs are the
 * bundle's.
 * @returns whether the group changed
 * @throws BundleFault `empty`, `unavailable`, `refused`, `storage`
 */
export async function loadGroup(
  endpoints: EdgeEndpoints,
  records: GroupRecords,
  group: string,
  plan: PlanLoad,
): Promise<boolean> {
  try {
    for (let left = attempts; left > 0; left -= 1) {
      const done = await tryLoad(endpoints, records, group, plan);
      if (done !== undefined) return done;
    }
  } catch (error) {
    throw asFault(error, group);
  }
  throw new BundleFault('refused', `the group ${group} is being changed by others all the time`);
}

/** Finds out what became of the loads that were begun. @throws CertError `unavailable` */
export async function settleGroup(
  endpoints: EdgeEndpoints,
  records: GroupRecords,
  group: string,
): Promise<StoredGroup> {
  const record = records.find(group) ?? emptyGroup;
  const settled = settleIntention(record, membersOf(endpoints, group) ?? []);
  if (settled !== record) await records.write(group, settled);
  return settled;
}

/** The CAs of a group; `undefined` where it is not there. @throws CertError `unavailable` */
export function membersOf(
  endpoints: EdgeEndpoints,
  group: string,
): readonly Certificate[] | undefined {
  const found = endpoints.find({ type: 'authority', name: group });
  return found?.certificates.map(({ certificate }) => certificate);
}

/** @returns `undefined` when the group was changed in between */
async function tryLoad(
  endpoints: EdgeEndpoints,
  records: GroupRecords,
  group: string,
  plan: PlanLoad,
): Promise<boolean | undefined> {
  const record = await settleGroup(endpoints, records, group);
  const members = membersOf(endpoints, group);
  const planned = plan(members ?? [], record.content);
  const { certificates, content, adds, removes } = planned;
  const isEmpty = certificates.length === 0;
  if (isEmpty && !planned.mayBeEmpty)
    throw new BundleFault('empty', `no CA would be left in the group ${group}`);
  const hasChanges = adds.length > 0 || removes.length > 0;
  if (members && !hasChanges) {
    if (!isDeepStrictEqual(content, record.content))
      await records.write(group, { ...record, content });
    return false;
  }
  const endpoint = { type: 'authority', name: group } as const;
  const pem = certificates.map((one) => one.pem).join('');
  const wanted = isEmpty ? 'nothing' : pemContent(pem);
  const part = { endpoint, create: members === undefined, content: wanted } as const;
  const replacement = await endpoints.stage([part]);
  try {
    // From here on the manager lets no other client change the group
    if (!isSame(members, membersOf(endpoints, group))) {
      await endpoints.rollback(replacement);
      return undefined;
    }
    await records.write(group, {
      ...record,
      intention: { content, adds: [...adds], removes: [...removes] },
    });
    await endpoints.activate(replacement);
    await endpoints.commit(replacement);
  } catch (error) {
    // When not even this arrives, the manager undoes it with the end of the connection, or of the time
    await endpoints.rollback(replacement).catch(() => undefined);
    throw error;
  }
  await records.write(group, { ...record, content });
  return true;
}

function isSame(
  one: readonly Certificate[] | undefined,
  other: readonly Certificate[] | undefined,
): boolean {
  return isDeepStrictEqual(one?.map(sha256OfCa), other?.map(sha256OfCa));
}

function asFault(error: unknown, group: string): unknown {
  if (!(error instanceof CertError)) return error;
  const isAway = ['unavailable', 'no-answer'].includes(error.code);
  const code = isAway ? 'unavailable' : 'refused';
  const message = isAway
    ? error.message
    : `the manager refuses the group ${group}: ${error.message}`;
  return new BundleFault(code, message, { cause: error });
}
