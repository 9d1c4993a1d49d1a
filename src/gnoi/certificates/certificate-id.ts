import { bundleName } from '../certificate-store.ts';
import { StatusError } from '../rpc/status.ts';

/** Good as a file name, and as a value everywhere. */
const idPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

/** @throws StatusError where it is no id that a certificate may have */
export function checkId(id: string): void {
  if (!isId(id))
    throw new StatusError(
      'INVALID_ARGUMENT',
      'certificate_id is not 1 to 64 of the characters A-Z a-z 0-9 . _ - that do not begin with a dot',
    );
  if (id === bundleName)
    throw new StatusError('INVALID_ARGUMENT', `certificate_id ${bundleName} is reserved`);
}

export function isId(id: string): boolean {
  return idPattern.test(id);
}
