import { reasonOf } from '../core/cert-error.ts';
import { DestinationFault, parseDestination } from '../outbound/destination.ts';
import type { LookUpName } from '../outbound/name-lookup.ts';
import { type OutboundResponse, sendRequest } from '../outbound/request.ts';
import { EnrolmentFault } from './enrolment-fault.ts';
import type { CaProfile } from './settings.ts';

const contentType = 'application/pkixcmp';

/** What also carries messages: what old servers and careless ones say (RFC 9811 §3.4). */
const takenTypes = [contentType, 'application/pkixcmp-poll', 'application/octet-stream'];

/** The administrator names the CA, wherever it is. */
const everywhere = { allowLoopback: true, allowLinkLocal: true };

export interface CaConnection {
  readonly lookUp: LookUpName;
  readonly signal: AbortSignal;
  /** PEM of the authorities that may vouch for an https URL. */
  readonly authorities: readonly string[];
}

/**
 * Sends a message to a CA and takes the answer (RFC 9811). What HTTP and TLS say is never evidence of anything.
 * @throws EnrolmentFault `configuration`, `transport` or `http`
 */
export async function sendToCa(
  { url, responseSeconds, responseBytes }: CaProfile,
  message: Buffer,
  { lookUp, signal, authorities }: CaConnection,
): Promise<Buffer> {
  const limits = { ...everywhere, milliseconds: responseSeconds * 1000, responseBytes };
  const headers = { 'Content-Type': contentType, Accept: contentType };
  let response: OutboundResponse;
  try {
    const request = { method: 'POST', url: parseDestination(url, limits), headers, body: message };
    response = await sendRequest({ ...request, authorities }, limits, lookUp, signal);
  } catch (cause) {
    if (cause instanceof DestinationFault)
      throw new EnrolmentFault('configuration', `${url} is no address of a CA: ${cause.message}`);
    const reason = `the CA at ${url} cannot be reached: ${reasonOf(cause)}`;
    throw new EnrolmentFault('transport', reason, { cause });
  }
  return messageIn(response, url);
}

/** A message may also come with an error of HTTP. */
function messageIn({ status, headers, body, end }: OutboundResponse, url: string): Buffer {
  const refuse = (reason: string) => new EnrolmentFault('http', `${url} ${reason}`);
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!takenTypes.includes(type))
    throw refuse(`answers with HTTP status ${status} and no message of CMP`);
  if (end !== 'whole') throw refuse('answers with a message that is cut off, or too large');
  if (body.length === 0) throw refuse(`answers with HTTP status ${status} and nothing else`);
  return body;
}
