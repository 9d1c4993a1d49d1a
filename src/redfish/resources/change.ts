import { RedfishError } from '../messages/redfish-error.ts';

/** @throws RedfishError 400 when a number is outside of its range */
export function refuseOutside(name: string, value: number | undefined, least: number, max: number) {
  if (value === undefined || (value >= least && value <= max)) return;
  const args = [String(value), name];
  const detail = `${name} is from ${least} to ${max}`;
  throw new RedfishError(400, {
    id: 'PropertyValueOutOfRange',
    args,
    detail,
    related: [`#/${name}`],
  });
}
