import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { StateFile } from '../../storage/state-file.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { CertificateEvents } from './certificate-events.ts';
import { EventBuffer } from './event-buffer.ts';
import { type EventClock, systemClock } from './event-clock.ts';
import { eventDelivery } from './event-delivery.ts';
import type { EventDraft, PublishedEvent } from './event-record.ts';
import type { EventSettings } from './event-settings.ts';
import {
  type EventServiceState,
  type EventState,
  openEventState,
  serviceState,
} from './event-state.ts';
import { EventStreams } from './event-streams.ts';
import type { ListenerLogins } from './listeners.ts';
import { PushSubscriptions } from './push-subscriptions.ts';
import { SubscriberAuthorization } from './subscriber-authorization.ts';

export interface EventOptions {
  readonly client: CertificateClient;
  /** Those of the configuration, which may be read again. */
  readonly collections: () => readonly CertificateCollection[];
  /** Absent where nothing is served with a certificate of the manager. */
  readonly served?: ServedCertificate;
  /** Days before its end at which a certificate needs attention. */
  readonly expiryThresholds: readonly number[];
  /** The file of the state that outlives the service. */
  readonly path: string;
  readonly settings: EventSettings;
  readonly log: Log;
  readonly logins: ListenerLogins;
  readonly clock?: EventClock;
  readonly random?: () => number;
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

/** Starts whatever the disk holds: clients must be able to read and repair certificates without events. */
export async function makeEvents(options: EventOptions): Promise<Events> {
  const { client, settings, log, logins, clock = systemClock, random = Math.random } = options;
  const file = await openEventState(options.path, { log, now: clock.now() });
  const state = () => serviceState({ settings, file });
  const buffer = new EventBuffer(file.value.epoch, settings.bufferedEvents, () => clock.now());
  const streams = new EventStreams({ clock, log, logins, settings });
  const send = eventDelivery(client, settings);
  const subscriptions = new PushSubscriptions({ file, settings, log, clock, random, send });
  const rights = new SubscriberAuthorization({ streams, subscriptions, logins, log });
  logins.onRename((from, to) => rights.rename(from, to));
  // Users may have changed while the service was away
  void rights.reviewAll();
  let isOpen = true;
  logins.onChange(() => {
    if (isOpen) void rights.reviewAll();
  });
  const stopReviews = clock.every(settings.loginCheckSeconds * 1000, () => void rights.reviewAll());
  const publish = (draft: EventDraft) => {
    if (!state().enabled) return;
    const event = buffer.add(draft);
    streams.tell(event);
    subscriptions.tell(event);
  };
  const stopFollowing = followCertificates({ ...options, clock }, file, state, publish);
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
      isOpen = false;
      stopFollowing();
      stopReviews();
      streams.stop();
      subscriptions.clear();
      await file.settled();
    },
  };
}

type ClockedOptions = EventOptions & { readonly clock: EventClock };

/**
 * Publishes what happens to certificates, and keeps what was told of them.
 * @returns how to stop
 */
function followCertificates(
  { client, collections, served, expiryThresholds, settings, log, clock }: ClockedOptions,
  file: StateFile<EventState>,
  state: () => EventServiceState,
  publish: (draft: EventDraft) => void,
): () => void {
  const { certificates = {} } = file.value;
  const events = new CertificateEvents(
    { client, collections, now: () => clock.now(), expiryThresholds, ...(served && { served }) },
    certificates,
  );
  let lastTold = certificates;
  const tell = (drafts: () => readonly EventDraft[]) => {
    // A change that is not reported now is reported when the service is enabled again
    if (!state().enabled) return;
    const timestamp = new Date(clock.now()).toISOString();
    for (const draft of drafts()) publish({ timestamp, ...draft });
    const { told } = events;
    if (isDeepStrictEqual(told, lastTold)) return;
    lastTold = told;
    file
      .change((before) => ({ ...before, certificates: told }))
      .catch((error: unknown) => {
        log.error('health of certificates not stored', { reason: reasonOf(error) });
      });
  };
  const look = () => tell(() => events.look());
  look();
  const stops = [
    clock.every(settings.statusCheckSeconds * 1000, look),
    served?.onChange(look),
    client.subscribe((event) => tell(() => events.toEvents(event))),
  ];
  return () => {
    for (const stop of stops) stop?.();
  };
}
