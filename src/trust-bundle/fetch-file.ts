import type { IncomingHttpHeaders } from 'node:http';
import { reasonOf } from '../core/cert-error.ts';
import { DestinationFault } from '../outbound/destination.ts';
import type { LookUpName } from '../outbound/name-lookup.ts';
import { type BodyEnd, type OutboundResponse, sendRequest } from '../outbound/request.ts';
import { everywhere } from './bundle-address.ts';
import { BundleFault, type BundleFaultCode } from './bundle-fault.ts';
import type { BundleLimits } from './settings.ts';

/** How the server is asked. */
export interface BundleServer {
  /** Ends with a slash. */
  readonly base: URL;
  readonly localAddress: string | undefined;
  readonly limits: BundleLimits;
  readonly lookUp: LookUpName;
  readonly signal: AbortSignal;
}

export interface FetchedFile {
  readonly body: Buffer;
  readonly etag: string | undefined;
}

/**
 * Fetches one file, over HTTP without redirects or compression. Neither HTTP nor TLS proves anything here: whoever
 * answers, what counts is signed.
 * @param etag of what is there already
 * @returns `undefined` when that is what the server has
 * @throws BundleFault
 */
export async function fetchFile(
  { base, localAddress, limits, lookUp, signal }: BundleServer,
  name: string,
  maxBytes: number,
  etag?: string,
): Promise<FetchedFile | undefined> {
  const url = new URL(name, base);
  const request = {
    ...{ method: 'GET', url, body: '' },
    headers: {
      'Accept-Encoding': 'identity',
      ...(etag !== undefined && { 'If-None-Match': etag }),
    },
    ...(localAddress !== undefined && { localAddress }),
  };
  const bounds = {
    ...everywhere,
    milliseconds: limits.deadlineMilliseconds,
    idleMilliseconds: limits.idleMilliseconds,
    responseBytes: maxBytes,
  };
  let response: OutboundResponse;
  try {
    response = await sendRequest(request, bounds, lookUp, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw unanswered(url, cause);
  }
  signal.throwIfAborted();
  const { status, headers, body, end } = response;
  const refuse = (code: BundleFaultCode, reason: string) =>
    new BundleFault(code, `${url} ${reason}`);
  if (status === 304 && etag !== undefined) return undefined;
  if (status >= 300 && status < 400)
    throw refuse(
      'http-status',
      `answers with HTTP status ${status}, and redirects are not followed`,
    );
  if (status !== 200) throw refuse('http-status', `answers with HTTP status ${status}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    throw refuse('content-encoding', 'sends something compressed, which was not asked for');
  if (end !== 'whole') throw bodyFault(url, end, maxBytes);
  return { body, etag: isSettled(headers) ? headers.etag : undefined };
}

/**
 * Servers that make the entity tag of size and time have one for two files that were written in the same second
 * (RFC 9110 §8.8.2.2).
 */
function isSettled(headers: IncomingHttpHeaders): boolean {
  const modified = Date.parse(headers['last-modified'] ?? '');
  return !(modified > Date.parse(headers.date ?? '') - 2000);
}

function bodyFault(url: URL, end: Exclude<BodyEnd, 'whole'>, maxBytes: number): BundleFault {
  switch (end) {
    case 'too large':
      return new BundleFault('too-large', `${url} sends more than ${maxBytes} bytes`);
    case 'cut off':
      return new BundleFault('truncated', `${url} ends before its announced end`);
    case 'late':
      return new BundleFault('timeout', `${url} does not come to its end in time`);
  }
}

function unanswered(url: URL, cause: unknown): BundleFault {
  const reason = reasonOf(cause);
  const code = /in time$/.test(reason) ? 'timeout' : 'unreachable';
  const text = cause instanceof DestinationFault ? cause.message : reason;
  return new BundleFault(code, `${url.host} cannot be reached: ${text}`, { cause });
}
