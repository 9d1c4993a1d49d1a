import { typeOf } from '../schema-versions.ts';
import { baseMessages, baseRegistry } from './base-registry.ts';
import { certificateMessages, certificateRegistry } from './certificate-registry.ts';
import { resourceEventMessages, resourceEventRegistry } from './resource-event-registry.ts';

/** A message as DMTF's registries have it: its text with `%1`, `%2`, … for the arguments. */
interface RegistryMessage {
  readonly Description: string;
  readonly Message: string;
  readonly MessageSeverity: string;
  readonly NumberOfArgs: number;
  readonly ParamTypes?: readonly string[];
  readonly Resolution: string;
}

/** A registry with all of its messages. */
export interface ServedRegistry {
  readonly prefix: string;
  /** With the errata version, as the file of the registry has it: `1.19.0`. */
  readonly version: string;
  /** With major and minor version, as MessageIds begin: `Base.1.19`. */
  readonly name: string;
  /** Where its owner publishes it, if it does. */
  readonly publicationUri: string | undefined;
  /** Its messages, without prefix and version. */
  readonly keys: readonly string[];
  /** The MessageRegistry as JSON. */
  render(): object;
}

/** The registries whose messages events have. */
export const eventRegistries: readonly ServedRegistry[] = [
  served(baseRegistry, 0, baseMessages),
  served(resourceEventRegistry, 0, resourceEventMessages),
];

/** The registries whose messages answers and events have. */
export const registries: readonly ServedRegistry[] = [
  ...eventRegistries,
  served(certificateRegistry, 0, certificateMessages, 'bmc-certificate-manager'),
];

/** `Registry.Major.Minor.Key` (DSP0266, "MessageId format"); clients also leave the version out or add the errata. */
const messageIdPattern = /^(\w+)(?:\.(\d+)(?:\.(\d+)(?:\.\d+)?)?)?\.([A-Za-z]\w*)$/;

/**
 * The MessageId in the form of DSP0266 of a message of a served registry, with our version where the client
 * gives none. The version may be an older one of the same major version, whose messages the newer one still
 * has. `undefined` for any other message.
 */
export function servedMessageId(text: string): string | undefined {
  const [, prefix, givenMajor, givenMinor, key = ''] = messageIdPattern.exec(text) ?? [];
  const registry = registries.find((served) => served.prefix === prefix);
  if (!registry?.keys.includes(key)) return undefined;
  const [ourMajor = 0, ourMinor = 0] = registry.version.split('.').map(Number);
  const major = Number(givenMajor ?? ourMajor);
  const minor = Number(givenMinor ?? ourMinor);
  if (major !== ourMajor || minor > ourMinor) return undefined;
  return `${registry.prefix}.${major}.${minor}.${key}`;
}

function served(
  name: string,
  errata: number,
  messages: Readonly<Record<string, RegistryMessage>>,
  owner = 'DMTF',
): ServedRegistry {
  const [prefix = ''] = name.split('.');
  const version = `${name.slice(prefix.length + 1)}.${errata}`;
  const publication = `https://redfish.dmtf.org/registries/${prefix}.${version}.json`;
  return {
    prefix,
    version,
    name,
    publicationUri: owner === 'DMTF' ? publication : undefined,
    keys: Object.keys(messages),
    render: () => ({
      '@odata.type': typeOf('MessageRegistry'),
      Id: `${prefix}.${version}`,
      Name: `${prefix} Message Registry`,
      Description: 'Messages that stand in answers and events of this service',
      Language: 'en',
      RegistryPrefix: prefix,
      RegistryVersion: version,
      OwningEntity: owner,
      Messages: Object.fromEntries(
        Object.entries(messages).map(([key, message]) => [key, describe(message)]),
      ),
    }),
  };
}

/** The schema asks for `Severity` too, though it is deprecated. */
function describe(message: RegistryMessage) {
  return { ...message, Severity: message.MessageSeverity };
}
