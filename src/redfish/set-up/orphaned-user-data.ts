import type { Log } from '../../core/log.ts';
import type { Users } from '../../identity/accounts/user-directory.ts';
import type { AccountCertificates } from '../../identity/peer-certificates/account-certificates.ts';
import type { Access } from '../access.ts';

/** How long a user who was removed by others may leave to a namesake what he had. */
const period = 60_000;

/** What users leave behind. */
export interface OrphanedUserData {
  readonly certificates: AccountCertificates;
  readonly sessions: Access['sessions'];
}

export interface FollowedUsers {
  /** Resolves when the look that began last is over. */
  settle(): Promise<void>;
  stop(): void;
}

/** Takes the certificates and sessions of users who are gone: those that other programs removed. */
export function followUsers(
  left: OrphanedUserData,
  { users, renames }: Pick<Access, 'users' | 'renames'>,
  settleSource: () => Promise<void>,
  log: Log,
): FollowedUsers {
  const note = (error: unknown) => {
    log.error('what users had under names that are gone is still there', { reason: String(error) });
  };
  let last = Promise.resolve();
  const look = () => {
    last = purgeOrphanedUserData(left, users).catch(note);
  };
  look();
  users.onChange(look);
  const timer = setInterval(() => {
    look();
    void settleSource();
    void renames.settle().catch(note);
  }, period).unref();
  return {
    settle: () => last,
    stop: () => clearInterval(timer),
  };
}

/** Rejects when the users cannot be asked now; what may still have an owner stays. */
export async function purgeOrphanedUserData(
  { certificates, sessions }: OrphanedUserData,
  users: Pick<Users, 'find' | 'list'>,
): Promise<void> {
  const [seen, seenSessions] = [certificates.kept, sessions.list()];
  if (seen.length === 0 && seenSessions.length === 0) return;
  const names = new Set((await users.list()).map(({ userName }) => userName));
  // What came in the meantime may be of a user who came in the meantime
  await certificates.forget((one) => seen.includes(one) && !names.has(one.userName));
  const others = new Set(
    seenSessions.map(({ userName }) => userName).filter((one) => !names.has(one)),
  );
  for (const name of others) {
    // Those who are kept elsewhere are on no list
    if (await users.find(name)) continue;
    for (const { id, userName } of seenSessions) if (userName === name) sessions.end(id);
    await sessions.ended();
  }
}
