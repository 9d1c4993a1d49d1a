import type { LookupAddress } from 'node:dns';
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestPlain,
} from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { profileOptions } from '../tls/profile.ts';
import type { AddressPolicy } from './address-policy.ts';
import { hostOf, reachableAddresses } from './destination.ts';
import type { LookUpName } from './name-lookup.ts';
import { unlessOver, withinTime } from './time-limit.ts';

export interface OutboundRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** PEM of the authorities that may vouch for the server; absent when its certificate is not checked. */
  readonly authorities?: readonly string[];
  /** The address of this machine that it is sent from; the system chooses without it. */
  readonly localAddress?: string;
}

export interface OutboundLimits extends AddressPolicy {
  /** For the response, and for finding the name before it. */
  readonly milliseconds: number;
  /** The limit of bytes that are read of a response body. */
  readonly responseBytes: number;
  /** How long the server may send nothing at all; as long as the whole time without it. */
  readonly idleMilliseconds?: number;
}

/** How a body ended: by itself, at the limit of bytes, by a connection that broke, or when its time was over. */
export type BodyEnd = 'whole' | 'too large' | 'cut off' | 'late';

export interface OutboundResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly end: BodyEnd;
}

/**
 * Sends a request to a server of others, once, at an address that the policy allows. Redirects are not
 * followed: they would lead the headers, which may be secret, elsewhere.
 * @throws when there is no response; DestinationFault when no address of the server is allowed;
 *   RequestDeferred when that cannot be told now
 */
export async function sendRequest(
  request: OutboundRequest,
  limits: OutboundLimits,
  lookUp: LookUpName,
  signal: AbortSignal,
): Promise<OutboundResponse> {
  const { url, authorities } = request;
  // Without authorities TLS would fall back to those of the system
  if (url.protocol === 'https:' && authorities?.length === 0) {
    throw new Error('there is no trusted authority to check its certificate with');
  }
  const { milliseconds, responseBytes } = limits;
  const { localAddress = '' } = request;
  const found = await reachableAddresses(hostOf(url), limits, (name) =>
    lookUp(name, { milliseconds, signal }),
  );
  const family = isIP(localAddress);
  const addresses = found.filter((one) => family === 0 || one.family === family);
  if (addresses.length === 0)
    throw new Error(`it has no address that ${localAddress} can be the source for`);
  const { idleMilliseconds = milliseconds } = limits;
  const limit = { milliseconds, signal, late };
  return withinTime(limit, async (over) => {
    const sent = begin(request, addresses, over, idleMilliseconds);
    let isSilent = false;
    sent.once('timeout', () => {
      isSilent = true;
      sent.destroy(new Error(late));
    });
    try {
      const response = await unlessOver(over, responseOf(sent));
      const chunks: Buffer[] = [];
      const end = await unlessOver(over, readInto(chunks, response, responseBytes)).catch(
        () => 'late' as const,
      );
      const { statusCode: status = 0, headers } = response;
      return { status, headers, body: Buffer.concat(chunks), end: isSilent ? 'late' : end };
    } finally {
      sent.destroy();
    }
  });
}

function begin(
  { method, url, headers, body, authorities, localAddress }: OutboundRequest,
  addresses: readonly LookupAddress[],
  over: AbortSignal,
  idleMilliseconds: number,
): ClientRequest {
  const options = {
    ...{ method, agent: false, lookup: answering(addresses), signal: over },
    headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
    ...(localAddress !== undefined && { localAddress }),
    timeout: idleMilliseconds,
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
  return request.end(body);
}

const late = 'it did not answer in time';

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
    // Stays: an error after the response must not become an uncaught exception
    request.on('error', reject);
    // Node takes its hands, and its time limits, off a connection that changes its protocol
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('it wants to speak another protocol'));
    });
    request.on('close', () => reject(new Error('it closed the connection without an answer')));
  });
}

/** Reads a body to its end, its limit or its failure. */
function readInto(chunks: Buffer[], response: IncomingMessage, maxBytes: number): Promise<BodyEnd> {
  return new Promise((resolve) => {
    let room = announcedBytes(response) > maxBytes ? -1 : maxBytes;
    if (room < 0) response.destroy();
    response.on('data', (chunk: Buffer) => {
      if (chunk.length > room) response.destroy();
      else chunks.push(chunk);
      room -= chunk.length;
    });
    response.on('error', () => undefined);
    response.on('close', () => {
      if (room < 0) resolve('too large');
      else resolve(response.complete ? 'whole' : 'cut off');
    });
  });
}

/** What is announced to be too large need not be read. */
function announcedBytes({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0) || 0;
}
