import type { PublishedCertificate } from '../../manager/certificate-client.ts';
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

/** What the reply to an upload says beside the certificate: what of the file is not served, and the warnings. */
export function extendedInfo({ findings }: PublishedCertificate): object {
  if (!findings) return {};
  const leftOut = findings.leftOut.map(
    ({ subject, reason }): CertificateMessage => ({
      id: 'CertificateLeftOut',
      args: [subject, reason],
    }),
  );
  return infoOf([...leftOut, ...warningsOf(findings)]);
}

/** The annotation of a reply, or nothing. */
export function infoOf(messages: readonly CertificateMessage[]): object {
  return messages.length === 0
    ? {}
    : { '@Message.ExtendedInfo': messages.map(renderCertificateMessage) };
}

function warningsOf({
  warnings,
}: NonNullable<PublishedCertificate['findings']>): CertificateMessage[] {
  return warnings.map(({ code, text }) => ({ id: 'CertificateWarning', args: [code, text] }));
}
