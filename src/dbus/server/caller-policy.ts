import { CertError } from '../../core/cert-error.ts';
import type { Callers } from '../transport/bus-driver.ts';

/** Who may call methods that change something; numbers of the system's users and groups. */
export interface CallerPolicy {
  readonly users: readonly number[];
  readonly groups: readonly number[];
}

/**
 * @returns the number of the caller's user, `undefined` when the bus does not know it
 * @throws CertError `access-denied` when the policy does not name the caller
 */
export type AuthorizeCaller = (sender: string) => Promise<number | undefined>;

/**
 * Checks callers by the credentials that the bus itself knows of their connections.
 * @param what the policy allows, for the refusal
 */
export function authorizeCaller(
  callers: Pick<Callers, 'credentials'>,
  policy: CallerPolicy,
  what = 'change certificates',
): AuthorizeCaller {
  return async (sender) => {
    const { user, groups } = await callers.credentials(sender).catch((cause: unknown) => {
      throw new CertError('access-denied', 'the caller is unknown to the bus', { cause });
    });
    const allowed =
      (user !== undefined && policy.users.includes(user)) ||
      groups.some((group) => policy.groups.includes(group));
    if (!allowed) {
      throw new CertError('access-denied', `user ${user ?? 'unknown'} may not ${what}`);
    }
    return user;
  };
}
