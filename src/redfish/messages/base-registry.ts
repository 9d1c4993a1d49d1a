import messages from '../../../schemas/registries/Base.1.19.0.json' with { type: 'json' };
import { typeOf } from '../schema-versions.ts';
import { renderCertificateMessage } from './certificate-registry.ts';
import { messageOf, type Registry } from './registry.ts';

export type BaseMessageId = keyof typeof messages;

export const baseRegistry: Registry<BaseMessageId> = { name: 'Base.1.19', messages };

/** A message on its way to a client. */
export interface Message {
  readonly id: BaseMessageId;
  readonly args: readonly string[];
  /** What exactly is wrong here, beyond the text of the registry. */
  readonly detail?: string;
  /** JSON pointers of the members that it is about. */
  readonly related?: readonly string[];
}

/**
 * Message objects (DSP0266, "Message object"). What exactly is wrong stands in a second one, since clients print Message
 * and the text of a registry is fixed; and in Resolution, for those that print only the first.
 */
export function renderMessages(messages: readonly Message[]) {
  return messages.flatMap((message) => {
    const { detail, related } = message;
    if (detail === undefined) return [renderMessage(message)];
    const reason = renderCertificateMessage({ id: 'Reason', args: [sentence(detail)] });
    return [renderMessage(message), { ...reason, ...(related && { RelatedProperties: related }) }];
  });
}

function renderMessage({ id, args, detail, related }: Message) {
  const { Resolution, ...message } = messageOf(baseRegistry, id, args);
  return {
    '@odata.type': typeOf('Message'),
    ...message,
    Resolution: resolutionOf(Resolution, detail),
    ...(related && { RelatedProperties: related }),
  };
}

/** Registries say "None." where they have no advice, which would contradict what stands before it. */
function resolutionOf(resolution: string, detail: string | undefined): string {
  if (detail === undefined) return resolution;
  return /^None\.?$/.test(resolution) ? sentence(detail) : `${sentence(detail)} ${resolution}`;
}

function sentence(detail: string): string {
  return /[.?]$/.test(detail) ? detail : `${detail}.`;
}

/**
 * The error response (DSP0266, "Error responses"): one message, or several under GeneralError. Extended
 * information comes first, as bmcweb sends it: OpenBMC's web UI joins the values of the members to the first
 * and shows the reason of a refusal only when that is the list.
 */
export function renderErrors(messages: readonly Message[]) {
  const [first, ...others] = messages;
  const { id, args, detail }: Message =
    first && others.length === 0 ? first : { id: 'GeneralError', args: [] };
  const { MessageId: code, Message: text } = messageOf(baseRegistry, id, args);
  return {
    error: {
      '@Message.ExtendedInfo': renderMessages(messages),
      code,
      message: detail === undefined ? text : `${text}  ${sentence(detail)}`,
    },
  };
}
