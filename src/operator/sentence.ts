import { CertError, isSystemError } from '../core/cert-error.ts';
import { SetupError } from '../core/setup-error.ts';

/** What an operator is told of an error, in one sentence without a stack trace. */
export function sentenceOf(error: unknown): string {
  const denied = deniedBy(error);
  if (error instanceof SetupError) {
    if (denied === undefined) return error.message;
    return `${error.message.replace(/(: permission denied)?\.$/, '')}: ${denied}.`;
  }
  if (denied !== undefined) return `This does not work: ${denied}.`;
  if (error instanceof CertError) return `${error.code}: ${error.message}`;
  return `This does not work: ${error instanceof Error ? error.message : String(error)}`;
}

/** By what a permission was denied, with what to change; `undefined` when it is not for want of one. */
function deniedBy(error: unknown): string | undefined {
  if (error instanceof CertError && error.code === 'access-denied') return deniedOnBus(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isSystemError(cause, 'EPIPE') || isSystemError(cause, 'ECONNRESET')) {
      return 'permission denied by the policy of the bus, which ended the connection of this user';
    }
    if (isSystemError(cause, 'EACCES') || isSystemError(cause, 'EPERM')) {
      return `permission denied by the file system${placeOf(cause)}`;
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
  return /may not change certificates|unknown to the bus|not permitted/.test(message)
    ? `permission denied by the manager: ${message}; "access" in its configuration says who may`
    : `permission denied by the policy of the bus, such as the files of /usr/share/dbus-1/system.d/ (${message})`;
}
