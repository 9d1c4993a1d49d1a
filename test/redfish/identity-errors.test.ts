import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  IdentityError,
  type IdentityErrorCode,
  identityErrors,
} from '../../src/identity/identity-error.ts';
import { identityAnswer } from '../../src/redfish/identity-errors.ts';

describe('an error of identity', () => {
  const expected: Record<IdentityErrorCode, string> = {
    exists: '409 ResourceAlreadyExists ManagerAccount UserName bob',
    'not-found': '404 ResourceNotFound ManagerAccount bob',
    limit: '400 CreateLimitReachedForResource',
    'last-administrator': '409 ResourceCannotBeDeleted: Why.',
    'password-refused': '400 PropertyValueFormatError (not shown) Password: Why. #/Password',
    'read-only': '405 OperationNotAllowed: Why.',
    'name-refused': '400 PropertyValueFormatError "bob" UserName: Why. #/UserName',
    'role-refused': '400 PropertyValueConflict RoleId UserName: Why. #/RoleId',
    'rule-refused':
      '400 PropertyValueFormatError (as sent) MinPasswordLength: Why. #/MinPasswordLength',
    'certificate-taken':
      '409 ResourceAlreadyExists Certificate CertificateString as submitted: Why.',
    'certificate-limit': '400 CreateLimitReachedForResource: Why.',
    'locks-out': '409 ResourceCannotBeDeleted: Why.',
    'storage-full': '507 InsufficientStorage: Why.',
    unavailable: '503 ServiceTemporarilyUnavailable 5 Retry-After 5',
    failed: '500 InternalError',
  };

  for (const code of Object.keys(identityErrors) as IdentityErrorCode[]) {
    it(`${code} is answered with ${expected[code]}`, () => {
      const answer = identityAnswer(new IdentityError(code, 'bob', 'Why.'));
      const [message] = answer?.messages ?? [];
      const { id, args = [], detail, related = [] } = message ?? {};
      const text =
        [answer?.status, id, ...args].join(' ') + (detail === undefined ? '' : `: ${detail}`);
      const headers = Object.entries(answer?.headers ?? {}).flat();
      assert.equal([text, ...related, ...headers].join(' '), expected[code]);
    });
  }

  it('is the only kind of error that has such an answer', () => {
    assert.equal(identityAnswer(new Error('not-found')), undefined);
  });
});
