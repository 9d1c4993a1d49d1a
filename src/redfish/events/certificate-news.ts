import type { CertificateEvent } from '../../manager/certificate-client.ts';
import type { CertificatePlace } from '../certificates/places.ts';
import { type EventDraft, resourceEvent } from './event-record.ts';

/**
 * Turns what the manager tells of certificates into events. It remembers which certificates were told
 * of as expiring, so that a replacement can be told as a return to health.
 */
export class CertificateNews {
  readonly #places: readonly CertificatePlace[];
  readonly #now: () => number;
  /** The largest threshold that was told, in days, by URI. */
  readonly #expiring = new Map<string, number>();

  /** @param now milliseconds since 1970 */
  constructor(places: readonly CertificatePlace[], now: () => number) {
    this.#places = places;
    this.#now = now;
  }

  /** Nothing for endpoints that have no place in the tree. */
  draftsOf(event: CertificateEvent): readonly EventDraft[] {
    const { type, name } = event.endpoint;
    const place = this.#places.find(
      ({ canonical, endpoint }) => canonical && endpoint.type === type && endpoint.name === name,
    );
    if (!place) return [];
    const uri = `${place.uri}/${event.id}`;
    const about = { origin: uri, resourceType: 'Certificate' };
    switch (event.kind) {
      case 'created':
        this.#expiring.delete(uri);
        return [resourceEvent('ResourceCreated', [], about)];
      case 'removed':
        this.#expiring.delete(uri);
        return [resourceEvent('ResourceRemoved', [], about)];
      case 'changed': {
        const changed = resourceEvent('ResourceChanged', [], about);
        if (!this.#hasRecovered(uri, event.certificate.notAfter)) return [changed];
        this.#expiring.delete(uri);
        return [changed, resourceEvent('ResourceStatusChangedOK', [uri, 'OK'], about)];
      }
      case 'expiring':
        this.#expiring.set(uri, Math.max(event.days, this.#expiring.get(uri) ?? 0));
        return [expiry(uri, event.days, about)];
    }
  }

  #hasRecovered(uri: string, notAfter: number): boolean {
    const days = this.#expiring.get(uri);
    return days !== undefined && notAfter - this.#now() / 1000 > days * daySeconds;
  }
}

const daySeconds = 86_400;

function expiry(uri: string, days: number, about: Partial<EventDraft>): EventDraft {
  if (days > 0) {
    const resolution = `The certificate ends within ${days} days: replace it before.`;
    const more = { ...about, resolution };
    return resourceEvent('ResourceStatusChangedWarning', [uri, 'Warning'], more);
  }
  const more = { ...about, resolution: 'The certificate has ended: replace it.' };
  return resourceEvent('ResourceStatusChangedCritical', [uri, 'Critical'], more);
}
