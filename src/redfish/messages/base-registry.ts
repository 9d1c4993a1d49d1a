import baseMessages from '../../../schemas/registries/Base.1.19.0.json' with { type: 'json' };
import { typeOf } from '../schema-versions.ts';

export { baseMessages };
/** As it begins a MessageId: without the errata version (DSP0266, "MessageId format"). */
export const baseRegistry = 'Base.1.19';

export type BaseMessageId = keyof typeof baseMessages;

/** A message on its way to a client. */
export interface Message {
  readonly id: BaseMessageId;
  readonly args: readonly string[];
  /** What exactly is wrong here, beyond the text of the registry; goes into Resolution. */
  readonly detail?: string;
  /** JSON pointers of the members that it is about. */
  readonly related?: readonly string[];
}

/** A Message object (DSP0266, "Message object"). */
export function renderMessage({ id, args, detail, related }: Message) {
  const { MessageSeverity, Resolution } = baseMessages[id];
  return {
    '@odata.type': typeOf('Message'),
    MessageId: `${baseRegistry}.${id}`,
    Message: messageText(id, args),
    MessageArgs: args,
    MessageSeverity,
    Resolution: detail === undefined ? Resolution : `${detail}. ${Resolution}`,
    ...(related && { RelatedProperties: related }),
  };
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
  const text = messageText(id, args);
  return {
    error: {
      '@Message.ExtendedInfo': messages.map(renderMessage),
      code: `${baseRegistry}.${id}`,
      message: detail === undefined ? text : `${text}  ${detail}.`,
    },
  };
}

function messageText(id: BaseMessageId, args: readonly string[]): string {
  return fillMessage(baseMessages[id].Message, args);
}

/** The text of a message with its arguments in their places. */
export function fillMessage(text: string, args: readonly string[]): string {
  return text.replace(/%(\d)/g, (_, at) => args[Number(at) - 1] ?? '');
}
