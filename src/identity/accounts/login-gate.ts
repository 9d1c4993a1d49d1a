import { addressGroup } from '../../core/client-address.ts';
import type { LoginAttempt, LoginAudit } from '../login-audit.ts';
import type { FailedLogins, Lock } from './failed-logins.ts';
import { LoginQueue, LoginQueueFull } from './login-queue.ts';
import type { LoginOutcome, UserDirectory } from './user-directory.ts';

/** The way to a directory's passwords: in fair turns, shut for addresses that guess, with a line of the audit for each try. */
export class LoginGate {
  readonly failures: FailedLogins;
  readonly #users: UserDirectory;
  readonly #audit: LoginAudit;
  readonly #queue: LoginQueue;

  constructor(users: UserDirectory, failures: FailedLogins, audit: LoginAudit, maxWaiting: number) {
    this.#users = users;
    this.failures = failures;
    this.#audit = audit;
    this.#queue = new LoginQueue(maxWaiting, (address) => failures.failuresOf(address));
  }

  /** @throws what the directory throws when it cannot be asked */
  async login(attempt: LoginAttempt, password: string): Promise<LoginOutcome> {
    const locks: Lock[] = [];
    try {
      const outcome = await this.#inTurn(attempt, password, locks);
      this.#audit.login(attempt, outcome.kind);
      // Not where the password is checked: that is in the turn, and so in the change, of another client
      for (const lock of locks) this.#audit.lockout(attempt, lock);
      return outcome;
    } catch (error) {
      this.#audit.login(attempt, 'unavailable');
      throw error;
    }
  }

  async #inTurn(attempt: LoginAttempt, password: string, locks: Lock[]): Promise<LoginOutcome> {
    const { userName, address: clientAddress } = attempt;
    const address = addressGroup(clientAddress);
    const check = async (): Promise<LoginOutcome> => {
      // Asked again here: many that wait together must not get past the count
      if (this.failures.isLocked(userName, address)) return { kind: 'locked' };
      const outcome = await this.#users.login(userName, password, clientAddress);
      if (outcome.kind === 'wrong') locks.push(...this.failures.failed(userName, address));
      if ('user' in outcome) this.failures.succeeded(userName, address);
      return outcome;
    };
    if (this.failures.isLocked(userName, address)) return { kind: 'locked' };
    try {
      return await this.#queue.take(address, check);
    } catch (error) {
      if (error instanceof LoginQueueFull) return { kind: 'busy' };
      throw error;
    }
  }
}
