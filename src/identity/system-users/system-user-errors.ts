import { SystemUserError, type SystemUserFault } from '../../platform/system-users.ts';
import { IdentityError, type IdentityErrorCode } from '../identity-error.ts';

const codes: Readonly<Record<SystemUserFault, IdentityErrorCode>> = {
  exists: 'exists',
  'not-found': 'not-found',
  limit: 'limit',
  'argument-refused': 'name-refused',
  'privilege-refused': 'role-refused',
  'not-permitted': 'read-only',
  unavailable: 'unavailable',
  failed: 'failed',
};

const messages: Readonly<Partial<Record<IdentityErrorCode, string>>> = {
  'name-refused': 'The user manager of the system does not take this',
  'rule-refused': 'The user manager of the system does not take this',
  'role-refused': 'The system does not give this user this role',
  'read-only': 'The user manager of the system does not do this',
};

/**
 * Asks the user manager, with its errors in our words.
 * @param userName the account that the question is about
 * @param refused the code for an argument that the user manager does not take
 * @throws IdentityError
 */
export async function askUserManager<T>(
  userName: string,
  asked: Promise<T>,
  refused: 'name-refused' | 'rule-refused' = 'name-refused',
): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    if (!(cause instanceof SystemUserError)) throw cause;
    const code = cause.fault === 'argument-refused' ? refused : codes[cause.fault];
    throw new IdentityError(code, userName, messages[code], { cause });
  }
}
