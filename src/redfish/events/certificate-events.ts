import { isClockSet } from '../../core/clock.ts';
import type {
  CertificateClient,
  CertificateEvent,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import { passedThreshold } from '../../manager/expiry.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { type Condition, conditionsOf } from '../certificates/findings.ts';
import { type Health, healthOf, type Lifetime } from '../certificates/health.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { type EventDraft, resourceEvent } from './event-record.ts';

/** The state of a certificate that the last event about it reported. */
export interface ReportedHealth {
  readonly health: Health;
  /** The lowest threshold that was passed, in days; absent when none was. */
  readonly threshold?: number;
}

export interface CertificateEventsOptions extends Lifetime {
  readonly client: CertificateClient;
  readonly collections: () => readonly CertificateCollection[];
  readonly served?: Pick<ServedCertificate, 'conditionsOf'>;
}

/**
 * Turns changes of certificates, and the passing of their time, into events. It remembers the last reported
 * health of each certificate, so that there is an event exactly when `Status` changes, and one more for each
 * further threshold that is passed. A new certificate begins as healthy; the health in which a certificate is
 * found at the first look is not reported.
 */
export class CertificateEvents {
  readonly #client: CertificateClient;
  readonly #collections: () => readonly CertificateCollection[];
  readonly #served: CertificateEventsOptions['served'];
  readonly #lifetime: Lifetime;
  /** By URI. */
  readonly #told: Map<string, ReportedHealth>;

  /** @param told the health that was reported before, by URI */
  constructor(
    { client, collections, served, ...lifetime }: CertificateEventsOptions,
    told: Readonly<Record<string, ReportedHealth>> = {},
  ) {
    this.#client = client;
    this.#collections = () => collections().filter(({ canonical }) => canonical);
    this.#served = served;
    this.#lifetime = lifetime;
    this.#told = new Map(Object.entries(told));
  }

  /** The reported health by URI: it is kept over a restart, so that no event is published twice. */
  get told(): Record<string, ReportedHealth> {
    return Object.fromEntries(this.#told);
  }

  /** Nothing for endpoints that have no collection in the tree. */
  toEvents(event: CertificateEvent): readonly EventDraft[] {
    const { type, name } = event.endpoint;
    const collection = this.#collections().find(
      ({ endpoint }) => endpoint.type === type && endpoint.name === name,
    );
    if (!collection) return [];
    const uri = `${collection.uri}/${event.id}`;
    switch (event.kind) {
      case 'created':
        this.#told.set(uri, { health: 'OK' });
        return [
          resourceEvent('ResourceCreated', [], about(uri)),
          ...this.#status(collection, event),
        ];
      case 'removed':
        this.#told.delete(uri);
        return [resourceEvent('ResourceRemoved', [], about(uri))];
      case 'changed':
        return [
          resourceEvent('ResourceChanged', [], about(uri)),
          ...this.#status(collection, event),
        ];
      case 'expiring':
        return this.#status(collection, event);
    }
  }

  /** Changes of health since the last look, except at endpoints whose manager cannot be asked now. */
  look(): readonly EventDraft[] {
    const collections = this.#collections();
    for (const uri of this.#told.keys()) {
      if (!collections.some((one) => uri.startsWith(`${one.uri}/`))) this.#told.delete(uri);
    }
    const here = collections.filter(({ endpoint }) => this.#client.isAvailable(endpoint));
    return here.flatMap((collection) => {
      const list = this.#client.list(collection.endpoint);
      const uris = new Set(list.map(({ id }) => `${collection.uri}/${id}`));
      for (const uri of this.#told.keys()) {
        if (uri.startsWith(`${collection.uri}/`) && !uris.has(uri)) this.#told.delete(uri);
      }
      return list.flatMap((one) => this.#status(collection, one));
    });
  }

  #status(
    { uri: collection, endpoint }: CertificateCollection,
    published: PublishedCertificate,
  ): readonly EventDraft[] {
    const { id, certificate } = published;
    const uri = `${collection}/${id}`;
    const now = this.#lifetime.now();
    // Before the time is synchronised, every certificate would become not valid yet, and back
    if (!isClockSet(now)) return [];
    const ofServing = this.#served ? this.#served.conditionsOf(endpoint, published) : [];
    // Nothing can be told while the file is being looked at; there is another look when that is done
    if (!ofServing) return [];
    const conditions = [...conditionsOf(published), ...ofServing];
    const { expiryThresholds } = this.#lifetime;
    const health = healthOf(certificate, now, expiryThresholds, conditions);
    const passed = passedThreshold(certificate, now, expiryThresholds);
    const before = this.#told.get(uri);
    this.#told.set(uri, { health, ...(Number.isFinite(passed) && { threshold: passed }) });
    if (!before) return [];
    const isFurther = passed < (before.threshold ?? Number.POSITIVE_INFINITY);
    if (health === before.health && !isFurther) return [];
    return [statusChange(uri, health, passed, conditions)];
  }
}

function about(uri: string): Partial<EventDraft> {
  return { origin: uri, resourceType: 'Certificate' };
}

function statusChange(
  uri: string,
  health: Health,
  passed: number,
  conditions: readonly Condition[],
): EventDraft {
  const resolution = resolutionOf(health, passed, conditions);
  return resourceEvent(`ResourceStatusChanged${health}`, [uri, health], {
    ...about(uri),
    ...(resolution && { resolution }),
  });
}

function resolutionOf(
  health: Health,
  passed: number,
  conditions: readonly Condition[],
): string | undefined {
  if (health === 'OK') return undefined;
  if (health === 'Warning' && Number.isFinite(passed)) {
    return `The certificate ends within ${passed} days: replace it before.`;
  }
  const messages = conditions.filter(({ Severity }) => Severity === health);
  return messages.map(({ Message }) => Message).join(' ') || untold[health];
}

/** Where no condition says more. */
const untold = {
  Warning: 'The certificate is not valid yet: check the time of this machine, or replace it.',
  Critical: 'The certificate has ended: replace it.',
} as const;
