import type { RegistryMessage } from './registries.ts';

export const resourceEventRegistry = 'ResourceEvent.1.3.0';

/** The messages of ResourceEvent 1.3.0 that the service sends; texts are the registry's own. */
export const resourceEventMessages = {
  ResourceChanged: {
    message: 'One or more resource properties have changed.',
    severity: 'OK',
    resolution: 'None.',
  },
  ResourceCreated: {
    message: 'The resource has been created successfully.',
    severity: 'OK',
    resolution: 'None',
  },
  ResourceRemoved: {
    message: 'The resource has been removed successfully.',
    severity: 'OK',
    resolution: 'None',
  },
  ResourceStatusChangedCritical: {
    message: 'The health of resource `%1` has changed to %2.',
    severity: 'Critical',
    resolution: 'None.',
  },
  ResourceStatusChangedOK: {
    message: "The health of resource '%1' has changed to %2.",
    severity: 'OK',
    resolution: 'None.',
  },
  ResourceStatusChangedWarning: {
    message: 'The health of resource `%1` has changed to %2.',
    severity: 'Warning',
    resolution: 'None.',
  },
  TestMessage: {
    message: 'Test message.',
    severity: 'OK',
    resolution: 'None.',
  },
} as const satisfies Record<string, RegistryMessage>;

export type ResourceEventMessageId = keyof typeof resourceEventMessages;
