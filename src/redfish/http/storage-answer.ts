import { SetupError } from '../../core/setup-error.ts';
import { classifyIoError, codeOf, isDiskFull } from '../../storage/io-errors.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';

/** Errors of the system that a disk gives, which are no bugs of the service. */
const ofDisks = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'ELOOP'];

/**
 * The answer where the service could not store, or read, what it keeps itself; `undefined` for any other error.
 * An operator can mend that, so the answer has the error of the system, but no path.
 */
export function storageAnswer(error: unknown): RedfishError | undefined {
  const cause = error instanceof SetupError ? error.cause : error;
  const state = classifyIoError(cause);
  if (state === undefined && !ofDisks.includes(codeOf(cause))) return undefined;
  if (isDiskFull(codeOf(cause))) {
    const detail = `storage-full: the disk has no room for what the service keeps (${codeOf(cause)})`;
    return new RedfishError(507, { id: 'InsufficientStorage', args: [], detail }, {}, error);
  }
  const detail = `storage: what the service keeps could not be written or read (${codeOf(cause)})`;
  // A file that the disk did not read is tried again with each request that needs it
  if (state === 'busy' || (state === 'failing' && error instanceof SetupError)) {
    return unavailable(state === 'busy' ? 5 : 60, { detail, cause: error });
  }
  return new RedfishError(500, { id: 'InternalError', args: [], detail }, {}, error);
}
