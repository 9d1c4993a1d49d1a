import messages from '../../../schemas/registries/ResourceEvent.1.3.0.json' with { type: 'json' };
import type { Registry } from './registry.ts';

export type ResourceEventMessageId = keyof typeof messages;

export const resourceEventRegistry: Registry<ResourceEventMessageId> = {
  name: 'ResourceEvent.1.3',
  messages,
};
