import { hashPassword, matchesHash, type PasswordHash } from '../accounts/password-hash.ts';

/**
 * Users that came with an expired password, and its hash. PAM may know better than the user manager that a
 * password has expired, and the one that follows must be another. As many as users have logged in.
 */
export class ExpiredPasswords {
  readonly #hashes = new Map<string, PasswordHash>();

  has(userName: string): boolean {
    return this.#hashes.has(userName);
  }

  async note(userName: string, password: string): Promise<void> {
    if (await this.is(userName, password)) return;
    this.#hashes.set(userName, await hashPassword(password));
  }

  /** Whether this is the password that has expired. */
  async is(userName: string, password: string): Promise<boolean> {
    const known = this.#hashes.get(userName);
    return known !== undefined && matchesHash(password, known);
  }

  rename(from: string, to: string): void {
    const hash = this.#hashes.get(from);
    this.#hashes.delete(from);
    this.#hashes.delete(to);
    if (hash) this.#hashes.set(to, hash);
  }

  forget(userName: string): void {
    this.#hashes.delete(userName);
  }
}
