import messages from '../../../schemas/registries/BmcCertificates.1.0.0.json' with { type: 'json' };
import { dateTime } from '../date-time.ts';
import { typeOf } from '../schema-versions.ts';
import { messageOf, type Registry } from './registry.ts';

type CertificateMessageId = keyof typeof messages;

export const certificateRegistry: Registry<CertificateMessageId> = {
  name: 'BmcCertificates.1.0',
  messages,
};

/** A message of our own registry, for what no registry of DMTF's has words. */
export interface CertificateMessage {
  readonly id: CertificateMessageId;
  readonly args: readonly string[];
}

/** A Message object (DSP0266, "Message object"). */
export function renderCertificateMessage({ id, args }: CertificateMessage) {
  return { '@odata.type': typeOf('Message'), ...messageOf(certificateRegistry, id, args) };
}

/** A Condition of a Status (DSP0268, Resource). @param since in seconds since 1970 */
export function renderCondition({ id, args }: CertificateMessage, since: number) {
  const { MessageSeverity: Severity, ...message } = messageOf(certificateRegistry, id, args);
  return { ...message, Severity, Timestamp: dateTime(since * 1000) };
}
