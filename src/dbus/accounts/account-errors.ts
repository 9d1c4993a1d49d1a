import { CertError } from '../../core/cert-error.ts';
import {
  IdentityError,
  type IdentityErrorCode,
  identityErrors,
} from '../../identity/identity-error.ts';
import { codeOf, isDiskFull } from '../../storage/io-errors.ts';
import { DBusError, errorNameOf } from '../server/error-names.ts';
import { accountsInterface } from './accounts-interface.ts';

const prefix = `${accountsInterface.name}.Error.`;
const codes = Object.keys(identityErrors) as IdentityErrorCode[];
const names = new Map(codes.map((code) => [code, prefix + asName(code)]));

/** The refusal, also that of a full disk, as an error of D-Bus; any other error stays what it is. */
export function toBusError(error: unknown): unknown {
  const refusal = isDiskFull(codeOf(error)) ? new IdentityError('storage-full') : error;
  if (!(refusal instanceof IdentityError)) return error;
  return new DBusError({ name: names.get(refusal.code) ?? '', text: refusal.message });
}

/**
 * What the answer of the account manager, or its absence, means.
 * @param userName the account that the call was about
 */
export function fromBusError(error: unknown, userName: string): IdentityError {
  const name = errorNameOf(error);
  const code = codes.find((one) => names.get(one) === name);
  if (code !== undefined && error instanceof CertError) {
    return new IdentityError(code, userName, error.message, { cause: error });
  }
  const isAway =
    error instanceof CertError &&
    ['unavailable', 'no-answer', 'busy', 'access-denied'].includes(error.code);
  return new IdentityError(isAway ? 'unavailable' : 'failed', userName, undefined, {
    cause: error,
  });
}

/** `last-administrator` is `LastAdministrator`. */
function asName(code: string): string {
  return code.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
