import { SystemUserError } from '../../platform/system-users.ts';
import { RedfishError } from '../../redfish/messages/redfish-error.ts';
import { UserError } from '../accounts/user-directory.ts';

/**
 * Asks the user manager, with its errors in our words.
 * @param userName whom it is about
 * @param member what is to blame for an argument that the user manager does not take
 */
export async function inRedfish<T>(
  userName: string,
  asked: Promise<T>,
  member: 'UserName' | 'MinPasswordLength' = 'UserName',
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof SystemUserError ? translate(error, userName, member) : error;
  }
}

/** The service that knows the users, or keeps their passwords, does not answer now. */
export function usersUnavailable(): RedfishError {
  const message = { id: 'ServiceTemporarilyUnavailable', args: ['5'] } as const;
  return new RedfishError(503, message, { 'Retry-After': '5' });
}

function translate({ fault }: SystemUserError, userName: string, member: string): Error {
  switch (fault) {
    case 'exists':
      return new UserError('exists', 'The system has a user with this name');
    case 'not-found':
      return new UserError('not-found', 'There is no such account');
    case 'limit':
      return new UserError('limit', 'The system takes no more users');
    case 'argument-refused': {
      const shown = member === 'UserName' ? JSON.stringify(userName).slice(0, 100) : '(as sent)';
      const detail = 'The user manager of the system does not take this';
      return refusal('PropertyValueFormatError', [shown, member], member, detail);
    }
    case 'privilege-refused': {
      const detail = 'The system does not give this user this role';
      return refusal('PropertyValueConflict', ['RoleId', 'UserName'], 'RoleId', detail);
    }
    case 'not-permitted':
      return new UserError('read-only', 'The user manager of the system does not do this');
    case 'unavailable':
      return usersUnavailable();
    case 'failed':
      return new RedfishError(500, { id: 'InternalError', args: [] });
  }
}

function refusal(
  id: 'PropertyValueFormatError' | 'PropertyValueConflict',
  args: readonly string[],
  member: string,
  detail: string,
): RedfishError {
  return new RedfishError(400, { id, args, detail, related: [`#/${member}`] });
}
