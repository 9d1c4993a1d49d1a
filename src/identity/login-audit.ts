import type { Audit } from '../core/audit.ts';
import type { LoginOutcome } from './accounts/user-directory.ts';
import type { Refusal } from './peer-certificates/refusal.ts';

/** A try to log in. */
export interface LoginAttempt {
  readonly userName: string;
  /** IP address of the client. */
  readonly address: string;
  readonly method: 'session' | 'basic' | 'certificate';
  /** The connection of a method whose credentials come with every request: it has one line for each user and outcome. */
  readonly connection?: object;
}

export type LoginResult = LoginOutcome['kind'] | 'unavailable' | Refusal;

/** Different lines of one connection that are remembered. */
const maxTold = 50;

/** Writes the lines of logins and lockouts, for every edge. */
export class LoginAudit {
  readonly #audit: Audit;
  readonly #told = new WeakMap<object, Set<string>>();

  constructor(audit: Audit) {
    this.#audit = audit;
  }

  login({ userName, address, method, connection }: LoginAttempt, outcome: LoginResult): void {
    if (connection && !this.#isNew(connection, `${method} ${outcome} ${userName.slice(0, 256)}`)) {
      return;
    }
    const isIn = outcome === 'ok' || outcome === 'password-expired';
    const user = userName === '' && method === 'certificate' ? {} : { user: userName };
    this.#audit.write(isIn ? 'login' : 'login failed', { ...user, address, method, outcome });
  }

  /** @param of an account at this address, or the address for every account */
  lockout(
    { userName, address }: Pick<LoginAttempt, 'userName' | 'address'>,
    of: 'account' | 'address',
  ): void {
    this.#audit.write('lockout', { user: userName, address, of });
  }

  #isNew(connection: object, line: string): boolean {
    const told = this.#told.get(connection) ?? new Set();
    if (told.has(line)) return false;
    if (told.size >= maxTold) told.clear();
    this.#told.set(connection, told.add(line));
    return true;
  }
}
