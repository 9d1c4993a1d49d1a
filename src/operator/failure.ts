import { CertError, type CertErrorCode, isSystemError } from '../core/cert-error.ts';
import { SetupError } from '../core/setup-error.ts';
import { IdentityError, type IdentityErrorCode } from '../identity/identity-error.ts';
import { FileRefusal } from '../storage/regular-file.ts';
import { CommandError, type ExitKind } from './framework/exit-status.ts';

/** How a command ends that the manager refused, and what to do next where the message does not say it. */
const failures: Readonly<Record<CertErrorCode, readonly [kind: ExitKind, next?: string]>> = {
  'file-unreadable': ['refused'],
  'file-too-large': ['refused'],
  'file-empty': ['refused'],
  'pem-malformed': ['refused', 'get the file again, unchanged, from where it was made'],
  'no-certificate': ['refused'],
  'too-many-certificates': ['refused', 'give the certificate with its issuers alone'],
  'container-malformed': ['refused', 'get the file again, unchanged, from where it was made'],
  'password-wrong': ['refused', 'give the right password with --password-file'],
  'key-derivation-limit': [
    'refused',
    'make the file with fewer rounds, such as openssl pkcs12 -export -iter 2048',
  ],
  'format-unknown': ['refused'],
  'certificate-malformed': ['refused', 'let the CA issue it again'],
  'chain-signature': ['refused', 'give the issuers that really signed it'],
  'critical-extension': ['refused', 'let the CA issue it without that extension'],
  'validity-start': ['refused', 'let the CA issue it again'],
  expired: ['refused', 'let the CA issue it again'],
  'key-strength': ['refused', 'make a CSR for a stronger key with bmc-certs csr'],
  'signature-strength': ['refused', 'let the CA sign it with SHA-256 or better'],
  'key-usage': ['refused', 'let the CA issue it with the usages that bmc-certs csr asks for'],
  'tls-loadable': ['refused'],
  'curve-unsupported': ['refused', 'make a CSR for another key with bmc-certs csr'],
  'key-encrypted': ['refused', 'give its password with --password-file'],
  'key-malformed': ['refused'],
  'key-missing': ['refused', 'give the file of the key, too'],
  'key-mismatch': [
    'refused',
    'give the file of the key, too, or look for the CSR with bmc-certs requests',
  ],
  'not-a-ca': ['refused', 'give a CA'],
  'already-installed': ['conflict', 'use bmc-certs replace'],
  'limit-reached': ['conflict', 'remove a certificate or a CSR that is not needed any more'],
  'replacement-in-progress': ['conflict', 'bmc-certs commit or bmc-certs rollback ends it'],
  busy: ['conflict', 'try again in a minute'],
  'not-empty': ['conflict'],
  'wrong-endpoint-type': ['refused', 'bmc-certs list shows what the endpoints are'],
  'not-found': ['not-found', 'bmc-certs status shows what there is'],
  'argument-invalid': ['refused'],
  'request-failed': ['failed', 'the log of the manager says why'],
  'request-timeout': ['failed', 'try again, or ask for an EC key, which is made faster'],
  'access-denied': ['denied'],
  storage: ['failed', 'look at the disk of the device'],
  'storage-full': ['failed', 'make room on the disk of the device'],
  unsupported: ['unsupported'],
  unavailable: [
    'unavailable',
    'look at systemctl status bmc-certificate-manager, or name another bus with --bus',
  ],
  'no-answer': ['unavailable', 'try again, or look into the log of the manager'],
  internal: ['failed'],
};

/** The same of the account manager. */
const accountFailures: Readonly<
  Record<IdentityErrorCode, readonly [kind: ExitKind, next?: string]>
> = {
  exists: ['conflict', 'take another name'],
  'not-found': ['not-found', 'bmc-certs user list shows the accounts'],
  limit: ['conflict', 'remove an account that is not needed any more'],
  'last-administrator': ['conflict', 'make another account an administrator first'],
  'password-refused': ['refused', 'choose another password'],
  'read-only': ['refused'],
  'name-refused': ['refused', 'take another name'],
  'role-refused': ['refused'],
  'rule-refused': ['refused'],
  'certificate-taken': ['conflict'],
  'certificate-limit': ['conflict'],
  'locks-out': ['conflict'],
  'storage-full': ['failed', 'make room on the disk of the device'],
  unavailable: ['unavailable', 'look at systemctl status bmc-account-manager'],
  failed: ['failed', 'the log of the account manager says why'],
};

/**
 * What an operator is told of any error, without a stack trace.
 * @param advice what to do next about an error of the manager, where it is not the usual
 */
export function describeFailure(error: unknown, advice?: string): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof IdentityError) {
    const [kind, next] = accountFailures[error.code];
    return new CommandError(kind, sentenceOf(error.code, error.message, next));
  }
  const denied = deniedBy(error);
  if (error instanceof SetupError) {
    if (denied === undefined) return new CommandError(kindOf(error), error.message);
    const what = error.message.replace(/(: permission denied)?\.$/, '');
    return new CommandError('denied', `${what}: ${denied}.`);
  }
  if (denied !== undefined) return new CommandError('denied', `This does not work: ${denied}.`);
  if (error instanceof CertError) {
    const [kind, next] = failures[error.code];
    return new CommandError(kind, sentenceOf(error.code, error.message, advice ?? next));
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandError('failed', `This does not work: ${reason}`);
}

function sentenceOf(code: string, message: string, next?: string): string {
  return `${code}: ${message.replace(/\.$/, '')}${next ? `; ${next}` : ''}.`;
}

function kindOf({ cause }: SetupError): ExitKind {
  if (isSystemError(cause, 'ENOENT')) return 'not-found';
  const isOther = cause instanceof FileRefusal || isSystemError(cause, 'EISDIR');
  return isOther ? 'refused' : 'failed';
}

/** By what a permission was denied, with what to do; `undefined` when it is not for want of one. */
function deniedBy(error: unknown): string | undefined {
  if (error instanceof CertError && error.code === 'access-denied') return deniedOnBus(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isSystemError(cause, 'EPIPE') || isSystemError(cause, 'ECONNRESET')) {
      return asRoot('permission denied by the policy of the bus, which ended the connection');
    }
    if (isSystemError(cause, 'EACCES') || isSystemError(cause, 'EPERM')) {
      return asRoot(`permission denied by the file system${placeOf(cause)}`);
    }
  }
  return undefined;
}

/** Of a socket, Node names the address. */
function placeOf(cause: Error): string {
  const place = 'path' in cause ? cause.path : 'address' in cause ? cause.address : undefined;
  return place === undefined ? '' : ` at ${place}`;
}

/** Our manager names the user; what a bus daemon refuses never reached the manager. */
function deniedOnBus({ message }: CertError): string {
  // A bus daemon goes on with all that it knows of both sides
  const [said] = message.split(/[,;]/);
  return asRoot(
    /may not [a-z ]+$|unknown to the bus|not permitted/.test(message)
      ? `permission denied by the manager: ${message}; "access" in its configuration says who may`
      : `permission denied by the policy of the bus, such as the files of /usr/share/dbus-1/system.d/ (${said})`,
  );
}

function asRoot(reason: string): string {
  return process.getuid?.() === 0 ? reason : `${reason}; run bmc-certs as root, such as with sudo`;
}
