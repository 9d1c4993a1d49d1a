import { randomBytes } from 'node:crypto';
import type { EventDestinationPatch } from '../../../schemas/generated/validators.js';
import type { Log } from '../../core/log.ts';
import type { StateFile } from '../../storage/state-file.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { type DeliveryOptions, DeliveryQueue, type RetryRules } from './delivery-queue.ts';
import { isWanted } from './event-criteria.ts';
import type { PublishedEvent } from './event-record.ts';
import type { EventSettings } from './event-settings.ts';
import { type EventState, serviceState } from './event-state.ts';

export type Subscription = EventState['subscriptions'][number];

export type SubscriptionMembers = Subscription['members'];

export interface PushOptions extends Pick<DeliveryOptions, 'clock' | 'random'> {
  readonly file: StateFile<EventState>;
  readonly settings: EventSettings;
  readonly log: Log;
  /** Delivers one event. @throws as `send` of a queue does */
  readonly send: (
    members: SubscriptionMembers,
    event: PublishedEvent,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** The subscriptions that push, each with its own queue. */
export class PushSubscriptions {
  readonly #options: PushOptions;
  readonly #queues = new Map<string, DeliveryQueue>();

  constructor(options: PushOptions) {
    this.#options = options;
    for (const subscription of this.list()) this.#queueOf(subscription);
  }

  list(): readonly Subscription[] {
    return this.#options.file.value.subscriptions;
  }

  get(id: string): Subscription | undefined {
    return this.list().find((one) => one.id === id);
  }

  isFailing(id: string): boolean {
    return this.#queues.get(id)?.isFailing === true;
  }

  /** @throws RedfishError 503 when there are too many */
  async create(owner: string, members: SubscriptionMembers): Promise<Subscription> {
    const id = randomBytes(8).toString('hex');
    const subscription: Subscription = { id, owner, members, state: 'active' };
    await this.#store((all) => {
      const { subscriptions, subscriptionsPerUser } = this.#options.settings;
      const own = all.filter((one) => one.owner === owner);
      if (all.length >= subscriptions || own.length >= subscriptionsPerUser) {
        throw tooManySubscribers();
      }
      return [...all, subscription];
    });
    this.#queueOf(subscription);
    return subscription;
  }

  async change(id: string, members: EventDestinationPatch): Promise<void> {
    await this.#alter(id, (one) => ({ ...one, members: { ...one.members, ...members } }));
  }

  async remove(id: string): Promise<void> {
    await this.#store((all) => all.filter((one) => one.id !== id));
    this.#queues.get(id)?.clear();
    this.#queues.delete(id);
  }

  /** @throws when the subscriptions of the user cannot be read or removed */
  async removeAllOf(userName: string): Promise<void> {
    const all = await this.#options.file.during(async ({ subscriptions }) => subscriptions);
    for (const { id, owner } of all) if (owner === userName) await this.remove(id);
  }

  /** Gives the subscriptions of a user to the new name of the user. @throws what the disk throws */
  async rename(from: string, to: string): Promise<void> {
    await this.#store((all) =>
      all.map((one) => (one.owner === from ? { ...one, owner: to } : one)),
    );
  }

  async suspend(id: string): Promise<void> {
    await this.#alter(id, (one) => ({ ...one, state: 'suspended-by-client' }));
    this.#queues.get(id)?.suspend();
  }

  /** @param milliseconds how old what waited may be to be sent yet */
  async resume(id: string, milliseconds: number): Promise<void> {
    await this.#alter(id, (one) => ({ ...one, state: 'active' }));
    this.#queues.get(id)?.resume(milliseconds);
  }

  tell(event: PublishedEvent): void {
    for (const subscription of this.list()) {
      if (isWanted(subscription.members, event)) this.#queueOf(subscription).add(event);
    }
  }

  /** Forgets everything that waits. */
  clear(): void {
    for (const queue of this.#queues.values()) queue.clear();
  }

  async #alter(id: string, alter: (one: Subscription) => Subscription): Promise<void> {
    await this.#store((all) => all.map((one) => (one.id === id ? alter(one) : one)));
  }

  async #store(alter: (all: readonly Subscription[]) => Subscription[]): Promise<void> {
    await this.#options.file.change((state) => ({
      ...state,
      subscriptions: alter(state.subscriptions),
    }));
  }

  #rules(id: string): RetryRules {
    const { retryAttempts, retryIntervalSeconds } = serviceState(this.#options);
    return {
      policy: this.get(id)?.members.DeliveryRetryPolicy ?? 'TerminateAfterRetries',
      attempts: retryAttempts,
      intervalMilliseconds: retryIntervalSeconds * 1000,
    };
  }

  /** Its queue, which is made with the subscription, or when that could be read at last. */
  #queueOf({ id, state, members }: Subscription): DeliveryQueue {
    const known = this.#queues.get(id);
    if (known) return known;
    const { log, clock, random, send, settings } = this.#options;
    // The path and query of a destination may hold a secret
    const about = { subscription: id, receiver: new URL(members.Destination).host };
    const queue = new DeliveryQueue(state !== 'active', {
      ...{ clock, random, size: settings.queuedEvents },
      longestBackoffMilliseconds: settings.longestBackoffSeconds * 1000,
      rules: () => this.#rules(id),
      send: async (event, signal) => {
        const now = this.get(id);
        if (now) await send(now.members, event, signal);
      },
      onFailure: (reason) => log.warn('event not delivered', { ...about, reason }),
      onHeldUp: (reason) => log.warn('event waits', { ...about, reason }),
      onOverflow: () => log.warn('events dropped: their receiver is too slow', about),
      onGivenUp: (outcome) => {
        log.warn('event subscription given up', { ...about, outcome });
        const stored =
          outcome === 'terminate'
            ? this.remove(id)
            : this.#alter(id, (one) => ({ ...one, state: 'suspended-by-failures' }));
        stored.catch((error: Error) => {
          log.error('event subscription not stored', { ...about, reason: error.message });
        });
      },
    });
    this.#queues.set(id, queue);
    return queue;
  }
}

/** 503 where there is no room for another subscription, or stream. */
export function tooManySubscribers(): RedfishError {
  return new RedfishError(503, { id: 'EventSubscriptionLimitExceeded', args: [] });
}
