import { typeOf } from '../schema-versions.ts';
import { baseRegistry } from './base-registry.ts';
import { certificateRegistry } from './certificate-registry.ts';
import type { Registry } from './registry.ts';
import { resourceEventRegistry } from './resource-event-registry.ts';

/** A registry as a resource. */
export interface ServedRegistry extends Registry {
  readonly prefix: string;
  /** With the errata version, as the file of the registry has it: `1.19.0`. */
  readonly version: string;
  /** Who defines it; DMTF publishes its own. */
  readonly owner: string;
}

/** The registries whose messages events have. */
export const eventRegistries: readonly ServedRegistry[] = [
  served(baseRegistry, 'DMTF'),
  served(resourceEventRegistry, 'DMTF'),
];

/** The registries whose messages answers and events have. */
export const registries: readonly ServedRegistry[] = [
  ...eventRegistries,
  served(certificateRegistry, 'bmc-certificate-manager'),
];

function served(registry: Registry, owner: string): ServedRegistry {
  const [prefix = '', ...version] = registry.name.split('.');
  return { ...registry, prefix, version: [...version, '0'].join('.'), owner };
}

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
  if (!registry || !Object.hasOwn(registry.messages, key)) return undefined;
  const [ourMajor = 0, ourMinor = 0] = registry.version.split('.').map(Number);
  const major = Number(givenMajor ?? ourMajor);
  const minor = Number(givenMinor ?? ourMinor);
  if (major !== ourMajor || minor > ourMinor) return undefined;
  return `${registry.prefix}.${major}.${minor}.${key}`;
}

/** The MessageRegistry (DSP2046, MessageRegistry). The schema asks for `Severity` too, though it is deprecated. */
export function registryView({ prefix, version, owner, messages }: ServedRegistry) {
  const entries = Object.entries(messages).map(([key, message]) => [
    key,
    { ...message, Severity: message.MessageSeverity },
  ]);
  return {
    '@odata.type': typeOf('MessageRegistry'),
    Id: `${prefix}.${version}`,
    Name: `${prefix} Message Registry`,
    Description: 'Messages that stand in answers and events of this service',
    Language: 'en',
    RegistryPrefix: prefix,
    RegistryVersion: version,
    OwningEntity: owner,
    Messages: Object.fromEntries(entries),
  };
}
