import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { IdentityError, type IdentityErrorCode } from '../../identity/identity-error.ts';

/** The numbers of google.rpc.Code that are answered. */
export const statusCodes = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export type StatusName = Exclude<keyof typeof statusCodes, 'OK'>;

/** How a call ends that was not done. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: StatusName;

  /** @param message for the client */
  constructor(status: StatusName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const ofCertError: Readonly<Record<CertErrorCode, StatusName>> = {
  'file-unreadable': 'INTERNAL',
  'file-too-large': 'RESOURCE_EXHAUSTED',
  'file-empty': 'INVALID_ARGUMENT',
  'pem-malformed': 'INVALID_ARGUMENT',
  'no-certificate': 'INVALID_ARGUMENT',
  'too-many-certificates': 'RESOURCE_EXHAUSTED',
  'container-malformed': 'INVALID_ARGUMENT',
  'password-wrong': 'INVALID_ARGUMENT',
  'key-derivation-limit': 'INVALID_ARGUMENT',
  'format-unknown': 'INVALID_ARGUMENT',
  'certificate-malformed': 'INVALID_ARGUMENT',
  'chain-signature': 'INVALID_ARGUMENT',
  'critical-extension': 'INVALID_ARGUMENT',
  'validity-start': 'INVALID_ARGUMENT',
  expired: 'INVALID_ARGUMENT',
  'key-strength': 'INVALID_ARGUMENT',
  'signature-strength': 'INVALID_ARGUMENT',
  'key-usage': 'INVALID_ARGUMENT',
  'tls-loadable': 'INVALID_ARGUMENT',
  'curve-unsupported': 'INVALID_ARGUMENT',
  'key-encrypted': 'INVALID_ARGUMENT',
  'key-malformed': 'INVALID_ARGUMENT',
  'key-missing': 'FAILED_PRECONDITION',
  'key-mismatch': 'INVALID_ARGUMENT',
  'not-a-ca': 'INVALID_ARGUMENT',
  'already-installed': 'ALREADY_EXISTS',
  'limit-reached': 'RESOURCE_EXHAUSTED',
  'replacement-in-progress': 'ABORTED',
  busy: 'RESOURCE_EXHAUSTED',
  'not-empty': 'ALREADY_EXISTS',
  'wrong-endpoint-type': 'INTERNAL',
  'not-found': 'NOT_FOUND',
  'argument-invalid': 'INVALID_ARGUMENT',
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

/** The logins of this edge change no account, so all but one of these are faults. */
const ofIdentityError: Readonly<Partial<Record<IdentityErrorCode, StatusName>>> = {
  unavailable: 'UNAVAILABLE',
};

/** What a client is told of any error. Of an unexpected error it is told nothing. */
export function statusOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof CertError) {
    const status = ofCertError[error.code];
    return new StatusError(status, `${error.code}: ${error.message}`, { cause: error });
  }
  if (error instanceof IdentityError)
    return new StatusError(ofIdentityError[error.code] ?? 'INTERNAL', error.message);
  return new StatusError('INTERNAL', 'a fault of the service; the details are in its log', {
    cause: error,
  });
}
