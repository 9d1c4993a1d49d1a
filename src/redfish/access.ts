import type { Audit } from '../core/audit.ts';
import type { AccessSettings } from '../identity/accounts/access-settings.ts';
import { type FailedLoginLimits, FailedLogins } from '../identity/accounts/failed-logins.ts';
import { LoginGate } from '../identity/accounts/login-gate.ts';
import type { UserDirectory } from '../identity/accounts/user-directory.ts';
import { LoginAudit } from '../identity/login-audit.ts';
import type { AccountCertificates } from '../identity/peer-certificates/account-certificates.ts';
import type { ClientCertificates } from '../identity/peer-certificates/client-certificates.ts';
import { Sessions } from './sessions/sessions.ts';

/** Everything that says who may use the service. */
export interface Access {
  readonly users: UserDirectory;
  readonly gate: LoginGate;
  readonly audit: Audit;
  /** Audit of logins that need no password. */
  readonly logins: LoginAudit;
  readonly sessions: Sessions;
  readonly settings: AccessSettings;
  /** Absent where clients cannot log in with certificates. */
  readonly certificates?: ClientCertificates;
  /** Absent where accounts have none. */
  readonly accountCertificates?: AccountCertificates;
}

export interface AccessLimits {
  readonly queuedLogins: number;
  readonly sessions: number;
  readonly sessionsPerUser: number;
  readonly failedLogins: FailedLoginLimits;
}

/** @param now a clock in milliseconds that never jumps */
export function makeAccess(
  users: UserDirectory,
  settings: AccessSettings,
  limits: AccessLimits,
  audit: Audit,
  now: () => number = () => performance.now(),
): Access {
  const rules = () => {
    const { policy } = settings;
    return {
      threshold: policy.lockoutThreshold,
      lockSeconds: policy.lockoutSeconds,
      resetSeconds: policy.lockoutResetSeconds,
      resetEnabled: policy.lockoutResetEnabled,
    };
  };
  const stampOf = (userName: string) => users.passwordStamp?.(userName);
  const failures = new FailedLogins(rules, limits.failedLogins, now, stampOf);
  const sessionLimits = {
    sessions: limits.sessions,
    perUser: limits.sessionsPerUser,
    idleMilliseconds: () => settings.policy.sessionSeconds * 1000,
  };
  const sessions = new Sessions(sessionLimits, now, stampOf);
  sessions.onEnd(({ id: session, userName: user, address }, reason) => {
    const write = () => audit.write('session ended', { session, user, address, reason });
    // Another client's change may be when the service sees that a session has been idle for too long, or is of an old password
    if (reason === 'idle' || reason === 'password-changed') audit.apart(write);
    else write();
  });
  const logins = new LoginAudit(audit);
  const gate = new LoginGate(users, failures, logins, limits.queuedLogins);
  return { users, gate, audit, logins, sessions, settings };
}

/** Has the certificates and sessions of users follow the names that they get. */
export function followRenames({ users, sessions, accountCertificates }: Access): void {
  users.onRename?.(async (from, to) => {
    sessions.rename(from, to);
    await Promise.all([accountCertificates?.rename(from, to), sessions.endedForGood()]);
  });
}
