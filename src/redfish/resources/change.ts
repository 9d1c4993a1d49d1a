import { memberError } from '../messages/redfish-error.ts';

/** @throws RedfishError 400 when a number is outside of its range */
export function refuseOutside(name: string, value: number | undefined, least: number, max: number) {
  if (value === undefined || (value >= least && value <= max)) return;
  const detail = `${name} is from ${least} to ${max}`;
  throw memberError(400, 'PropertyValueOutOfRange', [String(value), name], name, detail);
}
