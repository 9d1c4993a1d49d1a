import {
  type EventDestinationCreate,
  validateEventDestinationCreate,
} from '../../../schemas/generated/validators.js';

/** The members of a subscription, with the defaults of the schema for what is not given. */
export function subscriptionMembers(
  given: Partial<EventDestinationCreate>,
): EventDestinationCreate {
  const members: unknown = {
    Destination: 'https://192.0.2.9/events',
    Protocol: 'Redfish',
    ...given,
  };
  const result = validateEventDestinationCreate(members);
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.problems));
}
