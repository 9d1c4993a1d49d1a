import { CertError } from '../../core/cert-error.ts';
import type { PublishedCertificate, PublishedFindings } from '../../manager/certificate-client.ts';
import type { EndpointType } from '../../manager/endpoint-definition.ts';
import { type Expiry, expiryOf } from '../../manager/expiry.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { openAnyContent } from '../../x509/containers.ts';
import { isCertificateBlock } from '../../x509/pem.ts';
import { listAt, textAt, textsAt } from './json.ts';

/**
 * What a Certificate resource (DSP2046) says, and the messages of the answer that brought it.
 * @throws CertError for a CertificateString that cannot be read
 */
export function publishedOf(
  type: EndpointType,
  id: string,
  resource: unknown,
): PublishedCertificate {
  const text = textAt(resource, 'CertificateString') ?? '';
  const blocks = openAnyContent(Buffer.from(text), '');
  const [certificate, ...chain] = blocks
    .filter(isCertificateBlock)
    .map(({ der }) => readCertificate(der));
  if (!certificate) throw new CertError('no-certificate', 'CertificateString holds none');
  const published = { id, certificate, chain };
  return type === 'authority' ? published : { ...published, findings: findingsOf(resource) };
}

/** In `Status` while it is in service, and in the answer to an upload. */
function findingsOf(resource: unknown): PublishedFindings {
  const inStatus = listAt(resource, 'Status', 'Conditions');
  const argumentsOf = (messages: readonly unknown[], name: string) =>
    messages
      .filter((one) => isOwnMessage(textAt(one, 'MessageId'), name))
      .map((one) => textsAt(one, 'MessageArgs'));
  const warnings = argumentsOf(inStatus, 'CertificateWarning');
  const leftOut = argumentsOf(listAt(resource, '@Message.ExtendedInfo'), 'CertificateLeftOut');
  const since = Date.parse(textAt(inStatus[0], 'Timestamp') ?? '') / 1000;
  return {
    warnings: warnings.map(([code = '', text = '']) => ({ code, text })),
    leftOut: leftOut.map(([subject = '', reason = '']) => ({ subject, reason })),
    since: Number.isNaN(since) ? 0 : since,
  };
}

function isOwnMessage(messageId: string | undefined, name: string): boolean {
  return messageId?.startsWith('BmcCertificates.') === true && messageId.endsWith(`.${name}`);
}

/** The first of `expiry.thresholdDays` where the configuration of the device says nothing else. */
const usualThreshold = 60;

/**
 * Where a certificate stands in its life, as the device judges. `Health` becomes `Warning` at the first threshold, and by
 * conditions, beside which it tells nothing of the dates.
 * @param now milliseconds since 1970, by the clock of the device
 */
export function expiryIn(resource: unknown, certificate: Certificate, now: number): Expiry {
  const plain = expiryOf(certificate, now, []);
  if (plain.state !== 'Valid' || textAt(resource, 'Status', 'Health') !== 'Warning') return plain;
  const isByDates = listAt(resource, 'Status', 'Conditions').length === 0;
  return isByDates ? { ...plain, state: 'Expiring' } : expiryOf(certificate, now, [usualThreshold]);
}
