import { typeOf } from '../schema-versions.ts';
import { baseMessages } from './base-registry.ts';
import { resourceEventMessages } from './resource-event-registry.ts';

/** A message as DMTF's registries have it: its text with `%1`, `%2`, … for the arguments. */
interface RegistryMessage {
  readonly Description: string;
  readonly Message: string;
  readonly MessageSeverity: string;
  readonly NumberOfArgs: number;
  readonly ParamTypes?: readonly string[];
  readonly Resolution: string;
}

/** A registry of DMTF's with all of its messages. */
export interface ServedRegistry {
  readonly prefix: string;
  readonly version: string;
  /** Such as `Base.1.19.0`. */
  readonly id: string;
  /** The MessageRegistry as JSON. */
  render(): object;
}

/** The registries whose messages stand in our answers and events. */
export const registries: readonly ServedRegistry[] = [
  served('Base', '1.19.0', baseMessages),
  served('ResourceEvent', '1.3.0', resourceEventMessages),
];

function served(
  prefix: string,
  version: string,
  messages: Readonly<Record<string, RegistryMessage>>,
): ServedRegistry {
  return {
    prefix,
    version,
    id: `${prefix}.${version}`,
    render: () => ({
      '@odata.type': typeOf('MessageRegistry'),
      Id: `${prefix}.${version}`,
      Name: `${prefix} Message Registry`,
      Description: 'Messages that stand in answers and events of this service',
      Language: 'en',
      RegistryPrefix: prefix,
      RegistryVersion: version,
      OwningEntity: 'DMTF',
      Messages: Object.fromEntries(
        Object.entries(messages).map(([name, one]) => [name, describe(one)]),
      ),
    }),
  };
}

/** The schema asks for `Severity` too, though it is deprecated. */
function describe(message: RegistryMessage) {
  return { ...message, Severity: message.MessageSeverity };
}
