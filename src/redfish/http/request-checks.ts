import type { Request } from 'express';
import type { Identity } from '../../identity/identity.ts';
import { forbidden, RedfishError } from '../messages/redfish-error.ts';
import type { Resource } from '../resource.ts';
import { isOfOtherSite } from './other-sites.ts';
import { preconditionFailed } from './preconditions.ts';
import type { Entity } from './privileges.ts';

/** What every request has to be, before its client is known. @throws RedfishError 400, 412 or 414 */
export function checkRequest(req: Request, uriBytes: number): void {
  if (req.url.length > uriBytes) {
    const detail = `A URI may have ${uriBytes} bytes`;
    throw new RedfishError(414, { id: 'PayloadTooLarge', args: [], detail });
  }
  if (req.httpVersion === '1.1' && req.get('Host') === undefined) {
    throw new RedfishError(400, { id: 'HeaderMissing', args: ['Host'] });
  }
  // DSP0266, "Request headers": the one version that there is
  const version = req.get('OData-Version')?.trim();
  if (version !== undefined && version !== '4.0') {
    throw preconditionFailed('The service speaks OData-Version 4.0');
  }
}

/** Resources that take a certificate as the file that it is, under whatever type a client calls it. */
const takesFiles: readonly Entity[] = ['CertificateCollection', 'AccountCertificateCollection'];

/**
 * A body that says that it is something else than JSON. Collections of certificates take files under any
 * content type.
 * @throws RedfishError 415
 */
export function checkContentType(req: Request, { entity }: Resource): void {
  if (takesFiles.includes(entity) && ['POST', 'PUT'].includes(req.method)) return;
  // RFC 9112, section 6: there is a body only where one of the two announces it
  const length = req.get('Content-Length');
  const announced = length !== undefined && Number(length) !== 0;
  const hasBody = announced || req.get('Transfer-Encoding') !== undefined;
  const type = req.get('Content-Type');
  if (type === undefined || !hasBody) return;
  if (/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type.trim())) return;
  const detail = 'JSON is wanted: send it with the header Content-Type: application/json';
  throw new RedfishError(415, { id: 'HeaderInvalid', args: ['Content-Type'], detail });
}

/**
 * A browser that keeps Basic credentials would lend them to a form on a page of another site, and
 * collections of certificates take what forms send. Tokens and cookies need a word of our own scripts.
 * @throws RedfishError 403
 */
export function refuseOtherSites(req: Request, identity: Identity | undefined): void {
  const isLent = identity !== undefined && identity.session === undefined;
  const isForeign = isLent && isOfOtherSite((name) => req.get(name));
  if (!isForeign && req.get('Sec-Fetch-Site') !== 'cross-site') return;
  throw forbidden('A page of another site may not make this request');
}
