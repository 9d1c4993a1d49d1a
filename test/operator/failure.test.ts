import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertError, type CertErrorCode, certErrors } from '../../src/core/cert-error.ts';
import { SetupError } from '../../src/core/setup-error.ts';
import { IdentityError, type IdentityErrorCode } from '../../src/identity/identity-error.ts';
import { describeFailure } from '../../src/operator/failure.ts';
import {
  CommandError,
  type ExitKind,
  exitStatuses,
} from '../../src/operator/framework/exit-status.ts';

/** Scripts rely on them. */
const statuses: Readonly<Record<ExitKind, number>> = {
  done: 0,
  failed: 1,
  usage: 2,
  'not-found': 3,
  denied: 4,
  refused: 5,
  conflict: 6,
  unavailable: 7,
  unhealthy: 8,
  'not-due': 9,
  unsupported: 10,
  untrusted: 11,
};

const kinds: Partial<Record<CertErrorCode, ExitKind>> = {
  'already-installed': 'conflict',
  'limit-reached': 'conflict',
  'replacement-in-progress': 'conflict',
  busy: 'conflict',
  'not-empty': 'conflict',
  'not-found': 'not-found',
  'access-denied': 'denied',
  storage: 'failed',
  'storage-full': 'failed',
  internal: 'failed',
  'request-failed': 'failed',
  'request-timeout': 'failed',
  unsupported: 'unsupported',
  unavailable: 'unavailable',
  'no-answer': 'unavailable',
};

describe('the exit status of bmc-certs', () => {
  for (const [kind, status] of Object.entries(statuses)) {
    it(`is ${status} for ${kind}`, () => {
      assert.equal(exitStatuses[kind as ExitKind].status, status);
    });
  }

  for (const code of Object.keys(certErrors) as CertErrorCode[]) {
    const kind = kinds[code] ?? 'refused';
    it(`is that of ${kind} for the error ${code}, which the message names`, () => {
      const failure = describeFailure(new CertError(code, 'it is so'));
      assert.equal(failure.kind, kind);
      assert.match(
        failure.message,
        kind === 'denied' ? /it is so.*\.$/ : new RegExp(`^${code}: it is so(?:; [^;]+)?\\.$`),
      );
    });
  }
});

describe('the exit status of bmc-certs for a refusal of the account manager', () => {
  const accountKinds: Readonly<Record<IdentityErrorCode, ExitKind>> = {
    exists: 'conflict',
    'not-found': 'not-found',
    limit: 'conflict',
    'last-administrator': 'conflict',
    'password-refused': 'refused',
    'read-only': 'refused',
    'name-refused': 'refused',
    'role-refused': 'refused',
    'rule-refused': 'refused',
    'certificate-taken': 'conflict',
    'certificate-limit': 'conflict',
    'locks-out': 'conflict',
    'storage-full': 'failed',
    unavailable: 'unavailable',
    failed: 'failed',
  };
  for (const [code, kind] of Object.entries(accountKinds) as [IdentityErrorCode, ExitKind][]) {
    it(`is that of ${kind} for ${code}`, () => {
      const failure = describeFailure(new IdentityError(code, 'alice'));
      assert.equal(failure.kind, kind);
      assert.match(failure.message, new RegExp(`^${code}: .*[^.]\\.$`));
    });
  }
});

describe('what bmc-certs says of an error', () => {
  const systemError = (code: string) => Object.assign(new Error(code), { code, path: '/run/bus' });
  const rows: readonly (readonly [what: string, error: unknown, kind: ExitKind, says: RegExp])[] = [
    ['a command error', new CommandError('usage', 'No.'), 'usage', /^No\.$/],
    ['a fault of the set-up', new SetupError('It cannot start.'), 'failed', /^It cannot start\.$/],
    [
      'a file that is not there',
      new SetupError('The file x cannot be read.', { cause: systemError('ENOENT') }),
      'not-found',
      /^The file x cannot be read\.$/,
    ],
    [
      'a file that may not be read',
      new SetupError('The file x cannot be read: permission denied.', {
        cause: systemError('EACCES'),
      }),
      'denied',
      /^The file x cannot be read: permission denied by the file system at \/run\/bus/,
    ],
    [
      'a bus that ends the connection',
      new CertError('unavailable', 'the D-Bus cannot be reached', {
        cause: systemError('ECONNRESET'),
      }),
      'denied',
      /permission denied by the policy of the bus, which ended the connection/,
    ],
    ['anything else', new TypeError('x is undefined'), 'failed', /^This does not work: x is/],
  ];
  for (const [what, error, kind, says] of rows) {
    it(`is a sentence without a stack trace for ${what}`, () => {
      const failure = describeFailure(error);
      assert.equal(failure.kind, kind);
      assert.match(failure.message, says);
      assert.doesNotMatch(failure.message, /\n/);
    });
  }
});
