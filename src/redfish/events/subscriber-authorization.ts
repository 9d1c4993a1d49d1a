import type { Log } from '../../core/log.ts';
import type { EventStreams } from './event-streams.ts';
import type { ListenerLogins } from './listeners.ts';
import type { PushSubscriptions } from './push-subscriptions.ts';

export interface ListeningRightsOptions {
  readonly streams: EventStreams;
  readonly subscriptions: PushSubscriptions;
  readonly logins: ListenerLogins;
  readonly log: Log;
}

/** Takes from users what they listen with when they lose the right to it. */
export class SubscriberAuthorization {
  readonly #options: ListeningRightsOptions;
  /** Names of users who have another one, which their subscriptions do not have yet. */
  readonly #renamed = new Map<string, string>();

  constructor(options: ListeningRightsOptions) {
    this.#options = options;
  }

  /**
   * After a user lost rights or his password: his streams end, but for those of a session that goes on,
   * and if he may not subscribe any more his subscriptions are removed.
   */
  async review(userName: string, keptSession?: string): Promise<void> {
    this.#options.streams.closeOf(userName, keptSession);
    if ((await this.#options.logins.maySubscribe(userName)) === false) await this.#remove(userName);
  }

  /**
   * After a user got another name: his subscriptions follow, and his streams end, for their clients open them again.
   * @throws when the disk does not let the subscriptions follow now
   */
  async rename(from: string, to: string): Promise<void> {
    this.#options.streams.closeOf(from);
    this.#renamed.set(from, to);
    await this.#options.subscriptions.rename(from, to);
    this.#renamed.delete(from);
  }

  /** After a user was deleted: what he had is over. */
  async forget(userName: string): Promise<void> {
    this.#options.streams.closeOf(userName);
    await this.#remove(userName);
  }

  /**
   * Before a user begins: nothing of an earlier one of this name may be his.
   * @throws when that cannot be stored, for no later look could tell the two apart
   */
  async clear(userName: string): Promise<void> {
    this.#options.streams.closeOf(userName);
    await this.#options.subscriptions.removeAllOf(userName);
  }

  /** Looks at the owners of all subscriptions: users can change where nobody tells us. */
  async reviewAll(): Promise<void> {
    const { subscriptions, logins } = this.#options;
    for (const userName of new Set(subscriptions.list().map(({ owner }) => owner))) {
      if ((await logins.maySubscribe(userName)) === false) await this.#remove(userName);
    }
  }

  /** What cannot be stored now is tried again at the next look; the user has changed all the same. */
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
