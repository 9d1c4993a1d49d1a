/**
 * What can go wrong in the manager, one code for each check or failure. The code is also the name
 * of the failing check in every message that leaves the manager; each edge maps it to its wire form.
 */
export const certErrorCodes = [
  'file-unreadable',
  'file-too-large',
  'file-empty',
  'pem-malformed',
  'no-certificate',
  'too-many-certificates',
  'certificate-malformed',
  'chain-signature',
  'critical-extension',
  'validity-start',
  'expired',
  'key-strength',
  'signature-strength',
  'tls-loadable',
  'key-encrypted',
  'key-malformed',
  'key-missing',
  'key-mismatch',
  'not-a-ca',
  'already-installed',
  'limit-reached',
  'busy',
  'not-empty',
  'wrong-endpoint-type',
  'not-found',
  'argument-invalid',
  'request-failed',
  'request-timeout',
  'access-denied',
  'storage',
  'unavailable',
  'no-answer',
  'internal',
] as const;

export type CertErrorCode = (typeof certErrorCodes)[number];

/** The one error type that crosses a layer. Anything else that is thrown is a bug. */
export class CertError extends Error {
  override readonly name = 'CertError';
  readonly code: CertErrorCode;

  constructor(code: CertErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** True for a Node system error with this code, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
