import type { Log } from '../../core/log.ts';
import type { EventStreams } from './event-streams.ts';
import type { ListenerLogins } from './listeners.ts';
import type { PushSubscriptions } from './push-subscriptions.ts';

export interface SubscriberAuthorizationOptions {
  readonly streams: EventStreams;
  readonly subscriptions: PushSubscriptions;
  readonly logins: ListenerLogins;
  readonly log: Log;
}

/** Ends the streams and subscriptions of users who lose the right to them. */
export class SubscriberAuthorization {
  readonly #options: SubscriberAuthorizationOptions;
  /** Old and new names of users whose subscriptions still have the old name. */
  readonly #renamed = new Map<string, string>();

  constructor(options: SubscriberAuthorizationOptions) {
    this.#options = options;
  }

  /**
   * After a user lost rights or a password: the streams of the user end, except those of a session that goes
   * on, and the subscriptions are removed if the user may not subscribe any more.
   */
  async review(userName: string, keptSession?: string): Promise<void> {
    this.#options.streams.closeOf(userName, keptSession);
    if ((await this.#options.logins.maySubscribe(userName)) === false) await this.#remove(userName);
  }

  /**
   * After a user got another name, or none because the account was removed: the subscriptions follow or are removed, and the
   * streams end, for their clients open them again.
   * @throws when the disk does not let the subscriptions follow now
   */
  async rename(from: string, to: string | undefined): Promise<void> {
    if (to === undefined) return this.clear(from);
    this.#options.streams.closeOf(from);
    this.#renamed.set(from, to);
    await this.#options.subscriptions.rename(from, to);
    this.#renamed.delete(from);
  }

  /** After a user was deleted: the streams end and the subscriptions are removed. */
  async forget(userName: string): Promise<void> {
    this.#options.streams.closeOf(userName);
    await this.#remove(userName);
  }

  /**
   * Before a new user begins: the new user must not get anything of an earlier user of this name.
   * @throws when that cannot be stored, for no later look could tell the two apart
   */
  async clear(userName: string): Promise<void> {
    this.#options.streams.closeOf(userName);
    await this.#options.subscriptions.removeAllOf(userName);
  }

  /** Looks at the owners of all subscriptions: users can change without notice to this service. */
  async reviewAll(): Promise<void> {
    const { subscriptions, logins } = this.#options;
    for (const userName of new Set(subscriptions.list().map(({ owner }) => owner))) {
      if ((await logins.maySubscribe(userName)) === false) await this.#remove(userName);
    }
  }

  /** A removal that cannot be stored now is tried again at the next look; the change of the user stands. */
  async #remove(userName: string): Promise<void> {
    const { subscriptions, log } = this.#options;
    if (this.#renamed.has(userName)) return;
    for (const { id, owner } of subscriptions.list()) {
      if (owner !== userName) continue;
      try {
        await subscriptions.remove(id);
        log.info('event subscription removed with the right of its owner', { subscription: id });
      } catch (error) {
        log.error('event subscription not removed', { subscription: id, reason: String(error) });
      }
    }
  }
}
