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
  if (validateEventDestinationCreate(members)) return members;
  throw new Error(JSON.stringify(validateEventDestinationCreate.errors));
}
