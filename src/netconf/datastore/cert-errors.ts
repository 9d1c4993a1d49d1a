import type { CertError, CertErrorCode } from '../../core/cert-error.ts';
import { type ErrorTag, RpcError } from '../rpc/rpc-error.ts';
import { errorPath, type PathStep } from './data-path.ts';

/** What each failure of the manager is for a client of NETCONF. */
const tags: Readonly<Record<CertErrorCode, ErrorTag>> = {
  'file-unreadable': 'operation-failed',
  'file-too-large': 'too-big',
  'file-empty': 'invalid-value',
  'pem-malformed': 'invalid-value',
  'no-certificate': 'invalid-value',
  'too-many-certificates': 'too-big',
  'container-malformed': 'invalid-value',
  'password-wrong': 'invalid-value',
  'key-derivation-limit': 'invalid-value',
  'format-unknown': 'invalid-value',
  'certificate-malformed': 'invalid-value',
  'chain-signature': 'invalid-value',
  'critical-extension': 'invalid-value',
  'validity-start': 'invalid-value',
  expired: 'invalid-value',
  'key-strength': 'invalid-value',
  'signature-strength': 'invalid-value',
  'key-usage': 'invalid-value',
  'tls-loadable': 'invalid-value',
  'curve-unsupported': 'invalid-value',
  'key-encrypted': 'invalid-value',
  'key-malformed': 'invalid-value',
  'key-missing': 'invalid-value',
  'key-mismatch': 'invalid-value',
  'not-a-ca': 'invalid-value',
  'already-installed': 'data-exists',
  'limit-reached': 'resource-denied',
  'replacement-in-progress': 'in-use',
  busy: 'resource-denied',
  'not-empty': 'data-exists',
  'wrong-endpoint-type': 'operation-failed',
  'not-found': 'data-missing',
  'argument-invalid': 'invalid-value',
  'request-failed': 'operation-failed',
  'request-timeout': 'operation-failed',
  'access-denied': 'access-denied',
  storage: 'operation-failed',
  'storage-full': 'resource-denied',
  unsupported: 'operation-not-supported',
  unavailable: 'operation-failed',
  'no-answer': 'operation-failed',
  internal: 'operation-failed',
};

/**
 * What a client is told of a failure of the manager; the code of the failing check begins the message.
 * @param path of what it is about, where it is about one thing
 */
export function certError(error: CertError, path?: readonly PathStep[]): RpcError {
  return new RpcError(tags[error.code], `${error.code}: ${error.message}`, {
    ...{ type: 'application', cause: error },
    ...(path && { path: errorPath(path) }),
  });
}
