// The JSON schemas of the bodies of our own Redfish actions, from the one declaration of their parameters.
import {
  type Member,
  type OemAction,
  oemActions,
  oemEnumerations,
} from '../src/redfish/oem/declaration.ts';

/** What the bus has for a number of seconds. */
const maximum = 2 ** 32 - 1;

function schemaOf({ kind, nullable, pattern, default: absent }: Member): object {
  const bounds = {
    ...(pattern !== undefined && { pattern }),
    ...(absent !== undefined && { default: absent }),
  };
  if (kind === 'Int64') return { type: 'integer', minimum: 0, maximum, ...bounds };
  if (kind === 'String' && nullable)
    return { type: ['string', 'null'], maxLength: 1024, ...bounds };
  if (kind === 'String') return { type: 'string', minLength: 1, ...bounds };
  if (typeof kind === 'object' && 'link' in kind) return { $ref: 'reference.json' };
  if (typeof kind === 'object' && 'enumeration' in kind)
    return { enum: oemEnumerations[kind.enumeration], ...bounds };
  throw new TypeError('no parameter is of this kind');
}

function schema([name, { about, parameters }]: [string, OemAction]) {
  const members = Object.entries(parameters);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: `Oem${name}.json`,
    title: `Oem${name}`,
    description: about,
    type: 'object',
    additionalProperties: false,
    required: members
      .filter(([, { required, default: absent }]) => required || absent !== undefined)
      .map(([parameter]) => parameter),
    properties: Object.fromEntries(
      members.map(([parameter, member]) => [parameter, schemaOf(member)]),
    ),
  };
}

export const oemSchemas = Object.entries(oemActions).map(schema);
