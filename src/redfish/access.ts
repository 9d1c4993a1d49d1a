import type { Audit } from '../core/audit.ts';
import { KeyedMutex } from '../core/keyed-mutex.ts';
import type { AccessSettings } from '../identity/accounts/access-settings.ts';
import type { RenameFollower } from '../identity/accounts/rename-follower.ts';
import type { Users } from '../identity/accounts/user-directory.ts';
import { LoginAudit } from '../identity/login-audit.ts';
import type { AccountCertificates } from '../identity/peer-certificates/account-certificates.ts';
import type { ClientCertificates } from '../identity/peer-certificates/client-certificates.ts';
import { Sessions } from './sessions/sessions.ts';

/** Everything that says who may use the service. */
export interface Access {
  readonly users: Users;
  readonly audit: Audit;
  readonly logins: LoginAudit;
  /** Has what the service keeps under names of users follow the names. */
  readonly renames: RenameFollower;
  readonly sessions: Sessions;
  /**
   * Beginnings and ends of accounts, one after the other for each name, also while the service is configured anew: what
   * goes with an account must not be what the next one has.
   */
  readonly lives: KeyedMutex;
  readonly settings: AccessSettings;
  /** Absent where clients cannot log in with certificates. */
  readonly certificates?: ClientCertificates;
  /** Absent where accounts have none. */
  readonly accountCertificates?: AccountCertificates;
}

export interface AccessLimits {
  readonly sessions: number;
  readonly sessionsPerUser: number;
}

/** @param now a clock in milliseconds that never jumps */
export function makeAccess(
  { users, settings, renames, audit }: Pick<Access, 'users' | 'settings' | 'renames' | 'audit'>,
  limits: AccessLimits,
  now: () => number = () => performance.now(),
): Access {
  const sessionLimits = {
    sessions: limits.sessions,
    perUser: limits.sessionsPerUser,
    idleMilliseconds: () => settings.policy.sessionSeconds * 1000,
  };
  const sessions = new Sessions(sessionLimits, now, (userName) => users.passwordStamp(userName));
  sessions.onEnd(({ id: session, userName: user, address }, reason) => {
    const write = () => audit.write('session ended', { session, user, address, reason });
    // Another client's change may be when the service sees that a session has been idle for too long, or is of an old password
    if (reason === 'idle' || reason === 'password-changed') audit.apart(write);
    else write();
  });
  return {
    ...{ users, renames, audit, logins: new LoginAudit(audit, 'redfish'), sessions, settings },
    lives: new KeyedMutex(),
  };
}

/** Has the certificates and sessions of users follow the names that they get, and go with their accounts. */
export function followRenames({ users, renames, sessions, accountCertificates }: Access): void {
  renames.add(async (from, to) => {
    if (to === undefined) {
      const kept = accountCertificates?.kept ?? [];
      for (const { id, userName } of sessions.list()) if (userName === from) sessions.end(id);
      // The next account of the name may get its own before this is written
      const isGone = (one: (typeof kept)[number]) => one.userName === from && kept.includes(one);
      await Promise.all([accountCertificates?.forget(isGone), sessions.endedForGood()]);
      return;
    }
    sessions.rename(from, to);
    await Promise.all([accountCertificates?.rename(from, to), sessions.endedForGood()]);
  });
  renames.start(users);
}
