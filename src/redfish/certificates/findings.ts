import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import { incompleteness } from '../../manager/checks/completeness.ts';
import {
  type CertificateMessage,
  renderCertificateMessage,
  renderCondition,
} from '../messages/certificate-registry.ts';

export type Condition = ReturnType<typeof renderCondition>;

/** What the manager says of a certificate that is in service, for its Status. */
export function conditionsOf({ findings }: PublishedCertificate): readonly Condition[] {
  if (!findings) return [];
  return warningsOf(findings).map((message) => renderCondition(message, findings.since));
}

/**
 * What the reply to an upload says beside the certificates: what of the file is not served, the warnings, and what
 * is missing on the way to a root.
 */
export function extendedInfo(
  client: CertificateClient,
  endpoint: EndpointRef,
  published: readonly PublishedCertificate[],
): object {
  return infoOf(published.flatMap((one) => messagesOf(client, endpoint, one)));
}

function messagesOf(
  client: CertificateClient,
  endpoint: EndpointRef,
  published: PublishedCertificate,
): CertificateMessage[] {
  const { leftOut = [], warnings = [] } = published.findings ?? {};
  // What is done is done, also when the manager goes away meanwhile
  const missing = client.isAvailable(endpoint)
    ? incompleteness(client, endpoint, published)
    : undefined;
  return [
    ...leftOut.map(({ subject, reason }) => ({
      id: 'CertificateLeftOut' as const,
      args: [subject, reason],
    })),
    ...warningsOf({ warnings }),
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
