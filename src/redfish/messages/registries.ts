import { typeOf } from '../schema-versions.ts';
import { baseMessages } from './base-registry.ts';
import { resourceEventMessages } from './resource-event-registry.ts';

/** A message of a DMTF registry: its text with `%1`, `%2`, … for the arguments. */
export interface RegistryMessage {
  readonly message: string;
  readonly severity: 'OK' | 'Warning' | 'Critical';
  readonly resolution: string;
}

/** A registry with those of its messages that this service sends. */
export interface ServedRegistry {
  readonly prefix: string;
  readonly version: string;
  /** Such as `Base.1.19.0`. */
  readonly id: string;
  /** The MessageRegistry as JSON. */
  render(): object;
}

/** The registries whose messages stand in our answers and events; DMTF publishes them in full. */
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
      Description: 'The messages that this service sends, of the registry that DMTF publishes',
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

function describe({ message, severity, resolution }: RegistryMessage) {
  return {
    Description: 'A message of this service.',
    Message: message,
    MessageSeverity: severity,
    Severity: severity,
    NumberOfArgs: Math.max(0, ...[...message.matchAll(/%(\d)/g)].map(([, at]) => Number(at))),
    Resolution: resolution,
  };
}
