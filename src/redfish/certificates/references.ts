import { RedfishError } from '../messages/redfish-error.ts';
import { normalPath } from './collections.ts';

/** A parameter that should name a collection or a certificate, and does not. */
export function badReference(
  parameter: string,
  reference: string,
  action: string,
  fault: string,
): RedfishError {
  const related = [`#/${parameter}`];
  if (normalPath(reference) === undefined) {
    const args = [JSON.stringify(reference), parameter, action];
    const detail = 'it is no path of this service, which begins with /redfish/v1/';
    return new RedfishError(400, { id: 'ActionParameterValueFormatError', args, detail, related });
  }
  const args = [parameter, action];
  const detail = `${reference} is ${fault}`;
  return new RedfishError(400, { id: 'ActionParameterNotSupported', args, detail, related });
}
