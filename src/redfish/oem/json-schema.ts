import {
  type Member,
  type Members,
  type OemAction,
  oemActions,
  oemEnumerations,
  oemName,
  oemTypes,
  oemVersion,
} from './declaration.ts';

const dmtf = 'http://redfish.dmtf.org/schemas/v1';

/** Names that every object may have beside its own (DSP0266, "Payload annotations"). */
const annotations = {
  '^([a-zA-Z_][a-zA-Z0-9_]*)?@(odata|Redfish|Message)\\.[a-zA-Z_][a-zA-Z0-9_]*$': {},
};

/** The schema of all that is ours, in the form of DMTF's JSON Schemas. @param $id where it is */
export function renderJsonSchema($id: string): object {
  return {
    $id,
    $schema: `${dmtf}/redfish-schema-v1.json`,
    title: `#${oemName}.${oemVersion}`,
    owningEntity: 'bmc-certificate-manager',
    definitions: {
      ...mapped(oemTypes, objectOf),
      ...mapped<OemAction>(oemActions, ({ about, parameters }) => ({
        type: 'object',
        description: about,
        additionalProperties: false,
        parameters: mapped<Member>(parameters, (member) => ({
          ...schemaOf(member),
          requiredParameter: member.required === true,
        })),
        patternProperties: annotations,
        properties: {
          target: {
            type: 'string',
            format: 'uri-reference',
            description: 'Link to invoke action.',
          },
          title: { type: 'string', description: 'Friendly action name.' },
        },
      })),
      Actions: {
        type: 'object',
        additionalProperties: false,
        properties: { Oem: { type: 'object', additionalProperties: true } },
      },
      ...mapped(oemEnumerations, (values) => ({ type: 'string', enum: values })),
    },
  };
}

function objectOf(members: Members): object {
  return {
    type: 'object',
    additionalProperties: false,
    patternProperties: annotations,
    properties: mapped(members, (member) => ({ ...schemaOf(member), readonly: true })),
  };
}

function schemaOf({ kind, about: description, nullable, pattern }: Member): object {
  const schema = kindOf(kind);
  const bounded = pattern === undefined ? schema : { ...schema, pattern };
  return { description, ...(nullable ? { anyOf: [bounded, { type: 'null' }] } : bounded) };
}

function kindOf(kind: Member['kind']): object {
  switch (kind) {
    case 'String':
      return { type: 'string' };
    case 'Int64':
      return { type: 'integer' };
    case 'DateTimeOffset':
      return { type: 'string', format: 'date-time' };
  }
  if ('list' in kind) return { type: 'array', items: kindOf(kind.list) };
  if ('link' in kind) return { $ref: `${dmtf}/odata-v4.json#/definitions/idRef` };
  return { $ref: `#/definitions/${'object' in kind ? kind.object : kind.enumeration}` };
}

function mapped<T>(given: Readonly<Record<string, T>>, change: (value: T) => object): object {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, change(value)]));
}
