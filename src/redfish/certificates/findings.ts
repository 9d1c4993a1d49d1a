import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import { incompleteness } from '../../manager/checks/completeness.ts';
import { validityWarning } from '../../manager/expiry.ts';
import { formatName } from '../../x509/name.ts';
import {
  type CertificateMessage,
  renderCertificateMessage,
  renderCondition,
} from '../messages/certificate-registry.ts';
import type { CertificateCollection } from './collections.ts';

export type Condition = ReturnType<typeof renderCondition>;

/** What the manager says of a certificate that is in service, for its Status. */
export function conditionsOf({ findings }: PublishedCertificate): readonly Condition[] {
  if (!findings) return [];
  return warningsOf(findings).map((message) => renderCondition(message, findings.since));
}

export interface FindingParts {
  readonly client: CertificateClient;
  /** Milliseconds since 1970, as `Date.now`. */
  readonly now: () => number;
}

/**
 * What the reply to an upload says beside the certificates: what of the file is not served, the warnings, and what
 * is missing on the way to a root.
 */
export function extendedInfo(
  parts: FindingParts,
  endpoint: EndpointRef,
  published: readonly PublishedCertificate[],
): object {
  return infoOf(published.flatMap((one) => messagesOf(parts, endpoint, one)));
}

/** As `extendedInfo`, for what was added to a truststore: names each of several. @param uri of the collection */
export function additionInfo(
  parts: FindingParts,
  { uri, endpoint }: Pick<CertificateCollection, 'uri' | 'endpoint'>,
  added: readonly PublishedCertificate[],
): object {
  const named = added.map(({ id, certificate }): CertificateMessage => {
    return { id: 'CertificateAdded', args: [formatName(certificate.subject), `${uri}/${id}`] };
  });
  const findings = added.flatMap((one) => messagesOf(parts, endpoint, one));
  return infoOf([...(added.length > 1 ? named : []), ...findings]);
}

function messagesOf(
  { client, now }: FindingParts,
  endpoint: EndpointRef,
  published: PublishedCertificate,
): CertificateMessage[] {
  const { leftOut = [], warnings = [] } = published.findings ?? {};
  const ofDates = validityWarning(published.certificate, now());
  // What is done is done, also when the manager goes away meanwhile
  const missing = client.isAvailable(endpoint)
    ? incompleteness(client, endpoint, published)
    : undefined;
  return [
    ...leftOut.map(({ subject, reason }) => ({
      id: 'CertificateLeftOut' as const,
      args: [subject, reason],
    })),
    ...warningsOf({ warnings: [...(ofDates ? [ofDates] : []), ...warnings] }),
    ...(missing ? [{ id: 'CertificateChainIncomplete' as const, args: [missing.text] }] : []),
  ];
}

/** The annotation of a reply, or nothing. */
export function infoOf(messages: readonly CertificateMessage[]): object {
  return messages.length === 0
    ? {}
    : { '@Message.ExtendedInfo': messages.map(renderCertificateMessage) };
}

function warningsOf({
  warnings,
}: Pick<NonNullable<PublishedCertificate['findings']>, 'warnings'>): CertificateMessage[] {
  return warnings.map(({ code, text }) => ({ id: 'CertificateWarning', args: [code, text] }));
}
