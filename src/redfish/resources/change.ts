import type { Message } from '../messages/base-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';

/**
 * What a PATCH asks for, all or nothing.
 * @param readOnly members that the resource has and nobody can change
 * @throws RedfishError 400 when there is nothing, or something that is read-only
 */
export function refuseUnwritable(members: object, readOnly: readonly string[]): void {
  const names = Object.keys(members);
  if (names.length === 0) throw new RedfishError(400, { id: 'NoOperation', args: [] });
  const refused = names.filter((name) => readOnly.includes(name));
  if (refused.length === 0) return;
  throw new RedfishError(
    400,
    refused.map((name): Message => {
      return { id: 'PropertyNotWritable', args: [name], related: [`#/${name}`] };
    }),
  );
}

/** @throws RedfishError 400 when a number is outside of its range */
export function refuseOutside(
  name: string,
  value: number | undefined,
  least: number,
  most: number,
) {
  if (value === undefined || (value >= least && value <= most)) return;
  const args = [String(value), name];
  const detail = `${name} is from ${least} to ${most}`;
  throw new RedfishError(400, {
    id: 'PropertyValueOutOfRange',
    args,
    detail,
    related: [`#/${name}`],
  });
}
