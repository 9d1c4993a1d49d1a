import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertError, type CertErrorCode, certErrors } from '../../src/core/cert-error.ts';
import { StatusError, type StatusName, statusOf } from '../../src/gnoi/rpc/status.ts';
import { IdentityError } from '../../src/identity/identity-error.ts';

describe('the status of an error', () => {
  /** All others say that the argument is invalid. */
  const others: Partial<Record<CertErrorCode, StatusName>> = {
    'file-unreadable': 'INTERNAL',
    'file-too-large': 'RESOURCE_EXHAUSTED',
    'too-many-certificates': 'RESOURCE_EXHAUSTED',
    'key-missing': 'FAILED_PRECONDITION',
    'already-installed': 'ALREADY_EXISTS',
    'limit-reached': 'RESOURCE_EXHAUSTED',
    'replacement-in-progress': 'ABORTED',
    busy: 'RESOURCE_EXHAUSTED',
    'not-empty': 'ALREADY_EXISTS',
    'wrong-endpoint-type': 'INTERNAL',
    'not-found': 'NOT_FOUND',
    'request-failed': 'INTERNAL',
    'request-timeout': 'INTERNAL',
    'access-denied': 'PERMISSION_DENIED',
    storage: 'INTERNAL',
    'storage-full': 'RESOURCE_EXHAUSTED',
    unsupported: 'UNIMPLEMENTED',
    unavailable: 'UNAVAILABLE',
    'no-answer': 'UNAVAILABLE',
    internal: 'INTERNAL',
  };

  for (const code of Object.keys(certErrors) as CertErrorCode[]) {
    const expected = others[code] ?? 'INVALID_ARGUMENT';
    it(`${code} is ${expected}, and names the check`, () => {
      const { status, message } = statusOf(new CertError(code, 'why'));
      assert.equal(status, expected);
      assert.equal(message, `${code}: why`);
    });
  }

  it('is UNAVAILABLE while nobody can be asked for accounts', () => {
    assert.equal(statusOf(new IdentityError('unavailable')).status, 'UNAVAILABLE');
  });

  it('is its own where it has one', () => {
    const error = new StatusError('ABORTED', 'why');
    assert.equal(statusOf(error), error);
  });

  it('tells nothing of a fault that nobody foresaw', () => {
    const { status, message } = statusOf(new Error('secret path'));
    assert.equal(status, 'INTERNAL');
    assert.doesNotMatch(message, /secret/);
  });
});
