import certificateMessages from '../../../schemas/registries/BmcCertificates.1.0.0.json' with {
  type: 'json',
};
import { typeOf } from '../schema-versions.ts';
import { fillMessage } from './base-registry.ts';

export { certificateMessages };
export const certificateRegistry = 'BmcCertificates.1.0';

/** A message of our own registry, for what no registry of DMTF's has words. */
export interface CertificateMessage {
  readonly id: keyof typeof certificateMessages;
  readonly args: readonly string[];
}

/** A Message object (DSP0266, "Message object"). */
export function renderCertificateMessage(message: CertificateMessage) {
  const { MessageSeverity } = certificateMessages[message.id];
  return { '@odata.type': typeOf('Message'), ...common(message), MessageSeverity };
}

/** A Condition of a Status (DSP0268, Resource). @param since in seconds since 1970 */
export function renderCondition(message: CertificateMessage, since: number) {
  const { MessageSeverity } = certificateMessages[message.id];
  const time = new Date(since * 1000).toISOString().replace(/\.\d+Z$/, '+00:00');
  return { ...common(message), Severity: MessageSeverity, Timestamp: time };
}

function common({ id, args }: CertificateMessage) {
  const { Message, Resolution } = certificateMessages[id];
  return {
    MessageId: `${certificateRegistry}.${id}`,
    Message: fillMessage(Message, args),
    MessageArgs: args,
    Resolution,
  };
}
