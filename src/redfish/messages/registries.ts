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
  /** Its messages, without prefix and version. */
  readonly names: readonly string[];
  /** The MessageRegistry as JSON. */
  render(): object;
}

/** The registries whose messages stand in our answers and events. */
export const registries: readonly ServedRegistry[] = [
  served('Base', '1.19.0', baseMessages),
  served('ResourceEvent', '1.3.0', resourceEventMessages),
];

/**
 * Whether a message is one of a served registry. Its version may be left out or be an older one of the
 * same major version, whose messages the newer one still has.
 */
export function isServedMessage(messageId: string): boolean {
  const [prefix, ...rest] = messageId.split('.');
  const name = rest.pop();
  const registry = registries.find((one) => one.prefix === prefix);
  if (!registry || name === undefined || !registry.names.includes(name)) return false;
  if (rest.length > 3 || !rest.every((part) => /^\d+$/.test(part))) return false;
  const [major, minor = 0] = rest.map(Number);
  const [ourMajor, ourMinor = 0] = registry.version.split('.').map(Number);
  return major === undefined || (major === ourMajor && minor <= ourMinor);
}

function served(
  prefix: string,
  version: string,
  messages: Readonly<Record<string, RegistryMessage>>,
): ServedRegistry {
  return {
    prefix,
    version,
    id: `${prefix}.${version}`,
    names: Object.keys(messages),
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
