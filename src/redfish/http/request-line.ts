import type { IncomingMessage, RequestListener } from 'node:http';
import type { Message } from '../messages/base-registry.ts';
import { refuseRequest } from './early-errors.ts';

const longestShown = 100;

/**
 * Hands on only requests for a path of this one server. Express would make what it likes of any other
 * target, and two servers in a row could each follow another Host (RFC 9112 §3.2). The absolute form must
 * be taken, and then its host is the one that counts (§3.2.2).
 */
export function pathTargetsOnly(listener: RequestListener): RequestListener {
  return (req, res) => {
    takeAbsoluteForm(req);
    const fault = requestLineFault(req);
    if (fault) refuseRequest(res, { status: 400, message: fault });
    else listener(req, res);
  };
}

/** No user name, and no scheme but the one that the client speaks (RFC 9110 §4.2.4, §7.4). */
const absoluteForm = /^https:\/\/([^/?#@\s]+)(?=[/?]|$)/i;

function takeAbsoluteForm(req: IncomingMessage): void {
  const [whole, authority] = absoluteForm.exec(req.url ?? '') ?? [];
  if (whole === undefined || authority === undefined) return;
  const rest = (req.url ?? '').slice(whole.length);
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  // An absent or twofold Host stays the fault that it is (§3.2)
  if (req.headers.host !== undefined) req.headers.host = authority;
}

/** RFC 9110 §7.2, RFC 3986 §3.2.2; with the zone of a link-local address, which some clients leave in. */
const hostPattern =
  /^(?:\[(?:[\da-f:.]+(?:%[\w.~%-]+)?|v[\da-f]+\.[\w.~!$&'()*+,;=:-]+)\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?$/i;

function requestLineFault(req: IncomingMessage): Message | undefined {
  const { url = '', headers, headersDistinct, httpVersion } = req;
  // Node's parser still knows the requests of HTTP/0.9, which have no headers and name no version
  if (!['1.0', '1.1'].includes(httpVersion)) {
    return { id: 'UnrecognizedRequestBody', args: [], detail: 'A request names HTTP/1.1' };
  }
  if (!url.startsWith('/') || url.includes('#')) {
    const detail = 'A request is for a path that begins with a slash and has no fragment';
    return { id: 'InvalidURI', args: [url.slice(0, longestShown)], detail };
  }
  const hosts = headersDistinct.host ?? [];
  if (hosts.length > 1) {
    return { id: 'HeaderInvalid', args: ['Host'], detail: 'A request has one Host' };
  }
  // The one of an absolute target counts in its place, and both must be sound
  if (![...hosts, headers.host ?? ''].every((one) => hostPattern.test(one))) {
    const detail = 'A Host is a name or an address, and may have a port';
    return { id: 'HeaderInvalid', args: ['Host'], detail };
  }
  return undefined;
}
