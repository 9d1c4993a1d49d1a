import type { LookupAddress } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { LookupFunction } from 'node:net';
import { profileOptions } from '../tls/profile.ts';
import { type AddressPolicy, hostOf, reachableAddresses } from './destination.ts';
import type { LookUpName } from './name-limit.ts';
import { nameLookup } from './name-lookup.ts';
import type { ReceiverHeader } from './receiver-headers.ts';
import { unlessOver, withinTime } from './time-limit.ts';

export interface PushTarget {
  readonly url: URL;
  readonly headers: readonly ReceiverHeader[];
  /** PEM of the authorities that may vouch for the receiver; absent when nobody need. */
  readonly authorities?: readonly string[];
}

export interface PushLimits extends AddressPolicy {
  /** For the answer, and for finding the name before it. */
  readonly deliveryMilliseconds: number;
  readonly responseBytes: number;
}

/** One for all subscriptions, which share the threads of the program. */
const lookUpName = nameLookup();

/**
 * Posts a payload to a receiver, once. Redirects are not followed: they would lead the headers, which may
 * be secret, elsewhere.
 * @returns the status of the answer
 * @throws when there is none
 */
export async function push(
  target: PushTarget,
  payload: string,
  limits: PushLimits,
  signal: AbortSignal,
  lookUp: LookUpName = lookUpName,
): Promise<number> {
  const { url, authorities } = target;
  // Without authorities TLS would fall back to those of the system
  if (url.protocol === 'https:' && authorities?.length === 0) {
    throw new Error('there is no trusted authority to check its certificate with');
  }
  const { deliveryMilliseconds: milliseconds } = limits;
  const addresses = await reachableAddresses(hostOf(url), limits, (name) =>
    lookUp(name, { milliseconds, signal }),
  );
  const limit = { milliseconds, signal, late: 'it did not answer in time' };
  return withinTime(limit, async (over) => {
    const request = requestTo(target, payload, addresses, over);
    try {
      const response = await unlessOver(over, responseOf(request));
      await unlessOver(over, discard(response, limits.responseBytes)).catch(() => undefined);
      return response.statusCode ?? 0;
    } finally {
      request.destroy();
    }
  });
}

function requestTo(
  { url, headers, authorities }: PushTarget,
  payload: string,
  addresses: readonly LookupAddress[],
  over: AbortSignal,
): ClientRequest {
  const options = {
    method: 'POST',
    agent: false,
    lookup: answering(addresses),
    signal: over,
    headers: {
      ...Object.fromEntries(headers.map(({ name, value }) => [name, value])),
      'Content-Type': 'application/json;charset=utf-8',
      'Content-Length': Buffer.byteLength(payload),
      'OData-Version': '4.0',
    },
  } as const;
  const request =
    url.protocol === 'https:'
      ? requestTls(url, {
          ...options,
          ...profileOptions('intermediate'),
          rejectUnauthorized: authorities !== undefined,
          ca: [...(authorities ?? [])],
        })
      : requestPlain(url, options);
  return request.end(payload);
}

/** A lookup that knows the answer: what was allowed is what is connected to. */
function answering(addresses: readonly LookupAddress[]): LookupFunction {
  return (_name, { all }, callback) => {
    const [first] = addresses;
    if (all || !first) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    // Stays: an error after the response must not be one that nobody hears
    request.on('error', reject);
    // Node takes its hands, and its time limits, off a connection that changes its protocol
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('it wants to speak another protocol'));
    });
    request.on('close', () => reject(new Error('it closed the connection without an answer')));
  });
}

/** Reads an answer to its end, its limit or its failure: its status is all that counts. */
function discard(response: IncomingMessage, maxBytes: number): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) response.destroy();
    });
    response.on('error', () => resolve());
    response.on('close', () => resolve());
  });
}
