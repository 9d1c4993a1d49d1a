import resourceEventMessages from '../../../schemas/registries/ResourceEvent.1.3.0.json' with {
  type: 'json',
};

export { resourceEventMessages };
export const resourceEventRegistry = 'ResourceEvent.1.3';

export type ResourceEventMessageId = keyof typeof resourceEventMessages;
