import { IdentityError, type IdentityErrorCode } from '../identity/identity-error.ts';
import type { Message } from './messages/base-registry.ts';
import { memberError, notFound, RedfishError, unavailable } from './messages/redfish-error.ts';

type Answer = (error: IdentityError) => RedfishError;

const answers: Readonly<Record<IdentityErrorCode, Answer>> = {
  exists: ({ userName }) =>
    plain(409, 'ResourceAlreadyExists', ['ManagerAccount', 'UserName', userName]),
  'not-found': ({ userName }) => notFound('ManagerAccount', userName),
  limit: () => plain(400, 'CreateLimitReachedForResource', []),
  'last-administrator': ({ message }) => plain(409, 'ResourceCannotBeDeleted', [], message),
  'password-refused': ({ message }) => refusedPassword(message),
  'read-only': ({ message }) => plain(405, 'OperationNotAllowed', [], message),
  'name-refused': ({ userName, message }) =>
    memberError(
      400,
      'PropertyValueFormatError',
      [shown(userName), 'UserName'],
      'UserName',
      message,
    ),
  'role-refused': ({ message }) =>
    memberError(400, 'PropertyValueConflict', ['RoleId', 'UserName'], 'RoleId', message),
  'rule-refused': ({ message }) => {
    const args = ['(as sent)', 'MinPasswordLength'];
    return memberError(400, 'PropertyValueFormatError', args, 'MinPasswordLength', message);
  },
  'certificate-taken': ({ message }) => {
    const args = ['Certificate', 'CertificateString', 'as submitted'];
    return plain(409, 'ResourceAlreadyExists', args, message);
  },
  'certificate-limit': ({ message }) => plain(400, 'CreateLimitReachedForResource', [], message),
  'locks-out': ({ message }) => plain(409, 'ResourceCannotBeDeleted', [], message),
  'storage-full': ({ message }) => plain(507, 'InsufficientStorage', [], message),
  unavailable: () => unavailable(5),
  failed: () => plain(500, 'InternalError', []),
};

/** The Redfish form of an error of `identity/`; `undefined` for any other error. */
export function identityAnswer(error: unknown): RedfishError | undefined {
  return error instanceof IdentityError ? answers[error.code](error) : undefined;
}

/** A password that breaks the rules; no password ever stands in an answer. */
function refusedPassword(detail: string): RedfishError {
  const args = ['(not shown)', 'Password'];
  return memberError(400, 'PropertyValueFormatError', args, 'Password', detail);
}

function plain(
  status: number,
  id: Message['id'],
  args: readonly string[],
  detail?: string,
): RedfishError {
  return new RedfishError(status, { id, args, ...(detail !== undefined && { detail }) });
}

function shown(name: string): string {
  return JSON.stringify(name).slice(0, 100);
}
