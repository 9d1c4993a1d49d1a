/** A message as DMTF's registries have it: its text with `%1`, `%2`, … for the arguments. */
interface RegistryMessage {
  readonly Description: string;
  readonly Message: string;
  readonly MessageSeverity: string;
  readonly NumberOfArgs: number;
  readonly ParamTypes?: readonly string[];
  readonly Resolution: string;
}

export interface Registry<Id extends string = string> {
  /** As a MessageId begins, without the errata version: `Base.1.19` (DSP0266, "MessageId format"). */
  readonly name: string;
  readonly messages: Readonly<Record<Id, RegistryMessage>>;
}

/** What Message objects, conditions and events say of a message (DSP0266, "Message object"). */
export function messageOf<Id extends string>(
  { name, messages }: Registry<Id>,
  id: Id,
  MessageArgs: readonly string[],
) {
  const { Message, MessageSeverity, Resolution } = messages[id];
  return {
    MessageId: `${name}.${id}`,
    Message: Message.replace(/%(\d)/g, (_, at) => MessageArgs[Number(at) - 1] ?? ''),
    MessageArgs,
    MessageSeverity,
    Resolution,
  };
}
