import { randomBytes } from 'node:crypto';
import type { Audit } from '../core/audit.ts';
import type { LoginOutcome } from './accounts/user-directory.ts';
import type { Refusal } from './peer-certificates/refusal.ts';

/** A try to log in. */
export interface LoginAttempt {
  readonly userName: string;
  /** IP address of the client. */
  readonly address: string;
  readonly method: 'session' | 'basic' | 'certificate' | 'metadata';
  /** The connection of a method whose credentials come with every request: it has one line for each user and outcome. */
  readonly connection?: object;
}

export type LoginResult = LoginOutcome['kind'] | 'unavailable' | Refusal;

/** Different lines of one connection that are remembered. */
const maxTold = 50;

/** Writes the lines of the logins at an edge. */
export class LoginAudit {
  readonly edge: string;
  readonly #audit: Audit;
  readonly #told = new WeakMap<object, Set<string>>();

  /** @param edge such as `redfish` */
  constructor(audit: Audit, edge: string) {
    this.#audit = audit;
    this.edge = edge;
  }

  /** @param id that of a login with a password */
  login(attempt: LoginAttempt, outcome: LoginResult, id?: string): void {
    const { userName, address, method, connection } = attempt;
    if (connection && !this.#isNew(connection, `${method} ${outcome} ${userName.slice(0, 256)}`)) {
      return;
    }
    const isIn = outcome === 'ok' || outcome === 'password-expired';
    const user = userName === '' && method === 'certificate' ? {} : { user: userName };
    const { edge } = this;
    const fields = { ...user, address, edge, method, ...(id !== undefined && { attempt: id }) };
    this.#audit.write(isIn ? 'login' : 'login failed', { ...fields, outcome });
  }

  #isNew(connection: object, line: string): boolean {
    const told = this.#told.get(connection) ?? new Set();
    if (told.has(line)) return false;
    if (told.size >= maxTold) told.clear();
    this.#told.set(connection, told.add(line));
    return true;
  }
}

export function loginId(): string {
  return randomBytes(6).toString('hex');
}
