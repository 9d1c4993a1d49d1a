import type { Log } from '../../platform/log.ts';
import type { AccountCertificates } from '../access/account-certificates.ts';
import type { UserSource } from '../access/user-source.ts';

/** How long a user who was removed by others may leave his certificates to a namesake. */
const period = 60_000;

type Users = Pick<UserSource, 'list' | 'onSwitch' | 'settle'>;

/**
 * Takes the certificates of users who are gone: those that others removed, and all when other users
 * count than before.
 * @returns ends it
 */
export function followUsers(certificates: AccountCertificates, users: Users, log: Log): () => void {
  const note = (error: unknown) => {
    log.error('certificates of users who are gone are still there', { reason: String(error) });
  };
  const look = () => void forgetDeparted(certificates, users).catch(note);
  users.onSwitch({ end: () => certificates.clear(), store: () => certificates.store() });
  look();
  const timer = setInterval(() => {
    look();
    void users.settle();
  }, period).unref();
  return () => clearInterval(timer);
}

/** Rejects when the users cannot be listed now; nothing is taken then. */
export async function forgetDeparted(
  certificates: AccountCertificates,
  users: Pick<Users, 'list'>,
): Promise<void> {
  if (certificates.all.length === 0) return;
  const seen = certificates.all;
  const names = new Set((await users.list()).map(({ userName }) => userName));
  // What came in the meantime is of somebody who came too
  await certificates.remove((one) => seen.includes(one) && !names.has(one.userName));
}
