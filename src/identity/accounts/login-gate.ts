import { addressGroup } from '../../core/client-address.ts';
import type { FailedLogins } from './failed-logins.ts';
import { LoginQueue, LoginQueueFull } from './login-queue.ts';
import type { LoginOutcome, UserDirectory } from './user-directory.ts';

/** The way to a directory's passwords: in fair turns, and shut for addresses that guess. */
export class LoginGate {
  readonly failures: FailedLogins;
  readonly #users: UserDirectory;
  readonly #queue: LoginQueue;

  constructor(users: UserDirectory, failures: FailedLogins, maxWaiting: number) {
    this.#users = users;
    this.failures = failures;
    this.#queue = new LoginQueue(maxWaiting, (address) => failures.failuresOf(address));
  }

  async login(userName: string, password: string, clientAddress: string): Promise<LoginOutcome> {
    const address = addressGroup(clientAddress);
    const check = async (): Promise<LoginOutcome> => {
      // Asked again here: many that wait together must not get past the count
      if (this.failures.isLocked(userName, address)) return { kind: 'locked' };
      const outcome = await this.#users.login(userName, password, clientAddress);
      if (outcome.kind === 'wrong') this.failures.failed(userName, address);
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
