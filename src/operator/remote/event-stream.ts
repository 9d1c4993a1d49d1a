import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../../core/backoff.ts';
import type { CertificateEvent } from '../../manager/certificate-client.ts';
import { CommandError } from '../framework/exit-status.ts';
import { compareCopies } from './copy-changes.ts';
import { parentOf, placeOfEndpoint } from './discovery.ts';
import type { EndpointCopies } from './endpoint-copies.ts';
import { linkAt, listAt, textAt } from './json.ts';
import { RefusedError } from './refusal.ts';
import { eventsIn } from './server-sent-events.ts';
import type { Service } from './service.ts';

interface Followed {
  readonly service: Service;
  readonly copies: EndpointCopies;
  /** URI of the stream. */
  readonly uri: string;
  readonly warn: (text: string) => void;
}

const firstPause = 500;
const longestPause = 30_000;

/**
 * Tells of changes as the stream of events has them (DSP0266, "Server-sent events"). A service that goes away is waited
 * for; what changed meanwhile is told when it is back.
 * @returns how to end that
 */
export function followEvents(
  followed: Followed,
  listener: (event: CertificateEvent) => void,
): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  const follow = async () => {
    let pauses = backoff(firstPause, longestPause);
    while (!signal.aborted) {
      try {
        const response = await followed.service.stream(followed.uri, signal);
        pauses = backoff(firstPause, longestPause);
        await tellDifferences(followed, listener);
        response.setEncoding('utf8');
        for await (const event of eventsIn(response)) await tell(followed, event, listener);
      } catch (error) {
        if (!signal.aborted) await recover(followed, error);
      }
      await sleep(pauses.next().value, undefined, { signal }).catch(() => undefined);
    }
  };
  void follow();
  return () => ended.abort();
}

/** What is away is waited for in silence, as over the bus. */
async function recover({ service, warn }: Followed, error: unknown): Promise<void> {
  try {
    const isForgotten = error instanceof RefusedError && error.refusal.status === unauthorized;
    if (!isForgotten) throw error;
    await service.renewLogin();
  } catch (cause) {
    const isAway = cause instanceof CommandError && cause.kind === 'unavailable';
    if (cause instanceof CommandError && !isAway)
      warn(`The events are not followed now: ${cause.message}`);
  }
}

const unauthorized = 401;

/** An Event of the standard brings several records at once. */
async function tell(
  followed: Followed,
  event: unknown,
  listener: (event: CertificateEvent) => void,
): Promise<void> {
  for (const record of listAt(event, 'Events')) {
    const origin = linkAt(record, 'OriginOfCondition') ?? textAt(record, 'OriginOfCondition');
    if (origin === undefined) continue;
    const known = followed.copies.all().find(({ uri }) => origin.startsWith(`${uri}/`));
    const place = known ?? placeOfEndpoint(parentOf(origin));
    if (!place) continue;
    const before = known?.certificates ?? [];
    // An endpoint of run time may have come since the first look
    const copy = known
      ? await followed.copies.readMember(known, origin)
      : await followed.copies.read(place);
    const after = copy?.certificates ?? [];
    for (const change of compareCopies(place.endpoint, before, after)) listener(change);
    const expired = expiryNews(record);
    const found = after.find(({ uri }) => uri === origin);
    if (expired === undefined || !found) continue;
    const { endpoint } = place;
    listener({ kind: 'expiring', endpoint, ...found.published, days: expired });
  }
}

/**
 * The threshold that a certificate passed. The messages of the registry have no word for it: our own services say it in
 * the resolution.
 */
function expiryNews(record: unknown): number | undefined {
  const messageId = textAt(record, 'MessageId') ?? '';
  const resolution = textAt(record, 'Resolution') ?? '';
  if (messageId.endsWith('.ResourceStatusChangedWarning')) {
    const days = /ends within (\d+) days/.exec(resolution)?.[1];
    return days === undefined ? undefined : Number(days);
  }
  const isEnd = messageId.endsWith('.ResourceStatusChangedCritical');
  return isEnd && /certificate has ended/.test(resolution) ? 0 : undefined;
}

async function tellDifferences(
  { copies }: Followed,
  listener: (event: CertificateEvent) => void,
): Promise<void> {
  for (const place of copies.all()) {
    const after = await copies.read(place);
    const changes = compareCopies(place.endpoint, place.certificates, after?.certificates ?? []);
    for (const change of changes) listener(change);
  }
}
