// The JSON schemas of the Redfish actions that make a CSR, from the one declaration of its parameters.
import {
  type CsrParameterName,
  csrParameterNames,
  csrParameters,
  rekeyParameterNames,
  renewParameterNames,
} from '../src/manager/csr/parameters.ts';

/** Values are checked once, where the CSR is planned; an integer must fit into that of the bus. */
const types = {
  s: { type: 'string', default: '' },
  as: { type: 'array', items: { type: 'string' }, default: [] },
  x: { type: 'integer', minimum: 0, maximum: 16_384, default: 0 },
} as const;

function schema(title: string, names: readonly CsrParameterName[], others: object = {}) {
  const properties = {
    ...Object.fromEntries(names.map((name) => [name, types[csrParameters[name].signature]])),
    ...others,
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: `${title}.json`,
    title,
    description:
      'Parameters of an action (DSP2046). An empty string stands for a member that is not given.',
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties),
    properties,
  };
}

export const csrSchemas = [
  schema('GenerateCsr', csrParameterNames, {
    CertificateCollection: { $ref: 'reference.json' },
  }),
  schema('Rekey', rekeyParameterNames),
  schema('Renew', renewParameterNames),
];
