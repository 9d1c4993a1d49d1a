import { CertError } from '../../core/cert-error.ts';

/** A name of a file as well: no separator, and no leading dot. */
const form = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

/**
 * Begins the name of an endpoint of run time for operators and Redfish where the configuration has one of the same type
 * and name. No id has a colon.
 */
export const runTimePrefix = 'run-time:';

export function isEndpointId(text: string): boolean {
  return form.test(text);
}

/** @throws CertError `argument-invalid` */
export function checkEndpointId(text: string): void {
  if (isEndpointId(text)) return;
  throw new CertError(
    'argument-invalid',
    'Id is not 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen without a leading dot',
  );
}
