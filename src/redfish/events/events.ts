import { isDeepStrictEqual } from 'node:util';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { DeliveryDeferred } from '../../outbound/delivery-deferred.ts';
import { push } from '../../outbound/push-request.ts';
import type { Configuration } from '../../platform/configuration.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { CertificateEvents } from './certificate-events.ts';
import { EventBuffer } from './event-buffer.ts';
import { type EventClock, systemClock } from './event-clock.ts';
import { type EventDraft, type PublishedEvent, renderEvent } from './event-record.ts';
import { openEventState } from './event-state.ts';
import { EventStreams } from './event-streams.ts';
import type { ListenerLogins } from './listeners.ts';
import { PushSubscriptions, type Subscription } from './push-subscriptions.ts';
import { SubscriberAuthorization } from './subscriber-authorization.ts';

/** Configuration `redfish.events`. */
export type EventSettings = Configuration['redfish']['events'];

export interface EventOptions {
  readonly client: CertificateClient;
  readonly places: readonly CertificateCollection[];
  /** Absent where nothing is served with a certificate of the manager. */
  readonly served?: ServedCertificate;
  /** Days before its end at which a certificate needs attention. */
  readonly expiryThresholds: readonly number[];
  /** The file of what outlives the service. */
  readonly path: string;
  readonly settings: EventSettings;
  readonly log: Log;
  readonly logins: ListenerLogins;
  readonly clock?: EventClock;
  readonly random?: () => number;
}

/** What a client may set of the service as a whole. */
export interface EventServiceState {
  readonly enabled: boolean;
  readonly retryAttempts: number;
  readonly retryIntervalSeconds: number;
}

/** The event service: what happens is published to streams and subscriptions. */
export interface Events {
  readonly streams: EventStreams;
  readonly subscriptions: PushSubscriptions;
  readonly rights: SubscriberAuthorization;
  readonly settings: EventSettings;
  state(): EventServiceState;
  change(change: Partial<EventServiceState>): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Publishes an event, whatever it is about; nothing while the service is disabled. */
  publish(draft: EventDraft): void;
  /** What came after the event with this number, for a stream that begins again. */
  after(id: string): readonly PublishedEvent[];
  /** Ends all streams and deliveries; resolves when nothing is written any more. */
  close(): Promise<void>;
}

/** Starts whatever the disk holds: who cannot write it may still read, and repair certificates. */
export async function makeEvents(options: EventOptions): Promise<Events> {
  const {
    client,
    places,
    served,
    settings,
    log,
    clock = systemClock,
    random = Math.random,
  } = options;
  const file = await openEventState(options.path, { log, now: clock.now() });
  const state = (): EventServiceState => {
    const { retryAttempts, retryIntervalSeconds } = settings;
    return { enabled: true, retryAttempts, retryIntervalSeconds, ...file.value };
  };
  const { certificates = {} } = file.value;
  const buffer = new EventBuffer(file.value.epoch, settings.bufferedEvents, () => clock.now());
  const streams = new EventStreams({
    ...{ clock, log, logins: options.logins },
    limits: {
      streams: settings.streams,
      perUser: settings.streamsPerUser,
      unreadBytes: settings.unreadBytes,
      keepAliveMilliseconds: settings.keepAliveSeconds * 1000,
      loginCheckMilliseconds: settings.loginCheckSeconds * 1000,
    },
  });
  const subscriptions = new PushSubscriptions({
    ...{ file, log, clock, random },
    most: settings.subscriptions,
    retries: () => ({
      attempts: state().retryAttempts,
      intervalMilliseconds: state().retryIntervalSeconds * 1000,
    }),
    maxPerUser: settings.subscriptionsPerUser,
    size: settings.queuedEvents,
    longestBackoffMilliseconds: settings.longestBackoffSeconds * 1000,
    send: (subscription, event, signal) => deliver(client, settings, subscription, event, signal),
  });
  const rights = new SubscriberAuthorization({
    streams,
    subscriptions,
    logins: options.logins,
    log,
  });
  options.logins.onRename((from, to) => rights.rename(from, to));
  // Users may have changed while the service was away
  void rights.reviewAll();
  const stopReviews = clock.every(settings.loginCheckSeconds * 1000, () => void rights.reviewAll());
  const news = new CertificateEvents(
    {
      ...{ client, places, now: () => clock.now(), expiryThresholds: options.expiryThresholds },
      ...(served && { served }),
    },
    certificates,
  );
  const publish = (draft: EventDraft) => {
    if (!state().enabled) return;
    const event = buffer.add(draft);
    streams.tell(event);
    subscriptions.tell(event);
  };
  let lastTold = certificates;
  const tell = (drafts: () => readonly EventDraft[]) => {
    // What nobody is told stays news until the service is enabled again
    if (!state().enabled) return;
    const timestamp = new Date(clock.now()).toISOString();
    for (const draft of drafts()) publish({ timestamp, ...draft });
    const { told } = news;
    if (isDeepStrictEqual(told, lastTold)) return;
    lastTold = told;
    file
      .change((state) => ({ ...state, certificates: told }))
      .catch((error: unknown) => {
        log.error('health of certificates not stored', { reason: reasonOf(error) });
      });
  };
  const look = () => tell(() => news.look());
  look();
  const stopLooking = clock.every(settings.statusCheckSeconds * 1000, look);
  const stopFollowing = served?.onChange(look);
  const unsubscribe = client.subscribe((event) => tell(() => news.toEvents(event)));
  return {
    streams,
    subscriptions,
    rights,
    settings,
    state,
    async change(change) {
      await file.change((before) => ({ ...before, ...change }));
      if (state().enabled) return;
      streams.closeAll();
      subscriptions.clear();
    },
    now: () => clock.now(),
    publish,
    after: (id) => buffer.after(id),
    async close() {
      stopLooking();
      unsubscribe();
      stopFollowing?.();
      stopReviews();
      streams.stop();
      subscriptions.clear();
      await file.settled();
    },
  };
}

/** @throws when the receiver did not take the event; DeliveryDeferred when the manager cannot say whom to trust */
async function deliver(
  client: CertificateClient,
  settings: EventSettings,
  { destination, headers, verifyCertificate, context }: Subscription,
  event: PublishedEvent,
  signal: AbortSignal,
): Promise<void> {
  const url = new URL(destination);
  const isChecked = verifyCertificate && url.protocol === 'https:';
  const target = { url, headers, ...(isChecked && { authorities: trustedAuthorities(client) }) };
  const limits = { ...settings, deliveryMilliseconds: settings.deliverySeconds * 1000 };
  const payload = JSON.stringify(renderEvent(event, context));
  const status = await push(target, payload, limits, signal);
  if (status < 200 || status > 299) throw new Error(`it answered with status ${status}`);
}

function trustedAuthorities(client: CertificateClient): readonly string[] {
  try {
    const list = client.list({ type: 'authority', name: 'truststore' });
    return list.map(({ certificate }) => certificate.pem);
  } catch (cause) {
    const isAway =
      cause instanceof CertError && (cause.code === 'unavailable' || cause.code === 'no-answer');
    throw isAway ? new DeliveryDeferred(reasonOf(cause), { cause }) : cause;
  }
}
