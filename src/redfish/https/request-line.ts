import type { IncomingMessage, RequestListener } from 'node:http';
import { commonHeaders } from '../http/common-headers.ts';
import { type Message, renderErrors } from '../messages/base-registry.ts';

const longestShown = 100;

/**
 * Hands on only requests for a path of this one server. Express would make what it likes of any other
 * target, and two servers in a row could each follow another Host (RFC 9112 §3.2).
 */
export function originFormOnly(listener: RequestListener): RequestListener {
  return (req, res) => {
    const fault = requestLineFault(req);
    if (!fault) {
      listener(req, res);
      return;
    }
    const body = `${JSON.stringify(renderErrors([fault]), null, 2)}\n`;
    const headers = {
      ...commonHeaders,
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    };
    res.writeHead(400, headers).end(req.method === 'HEAD' ? undefined : body);
  };
}

function requestLineFault({ url = '', headersDistinct }: IncomingMessage): Message | undefined {
  if (!url.startsWith('/') || url.includes('#')) {
    const detail = 'A request is for a path that begins with a slash and has no fragment';
    return { id: 'InvalidURI', args: [url.slice(0, longestShown)], detail };
  }
  if ((headersDistinct.host?.length ?? 0) > 1) {
    return { id: 'HeaderInvalid', args: ['Host'], detail: 'A request has one Host' };
  }
  return undefined;
}
