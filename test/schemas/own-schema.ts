import { Ajv } from 'ajv';
import { renderJsonSchema } from '../../src/redfish/oem/json-schema.ts';

const uri = 'https://service/BmcCertificates.json';
const link = {
  type: 'object',
  required: ['@odata.id'],
  additionalProperties: false,
  properties: { '@odata.id': { type: 'string' } },
};

const ajv = new Ajv({
  strict: false,
  validateSchema: false,
  allErrors: true,
  formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) },
});
ajv.addSchema({ definitions: { idRef: link } }, 'http://redfish.dmtf.org/schemas/v1/odata-v4.json');
ajv.addSchema(renderJsonSchema(uri), uri);

/** The faults of an object of a type that the service publishes the schema of. */
export function ownFaults(definition: string, value: unknown, at: string): string[] {
  const check = ajv.getSchema(`${uri}#/definitions/${definition}`);
  if (!check) return [`${at}: there is no type ${definition} of our own`];
  if (check(value)) return [];
  return (check.errors ?? []).map(
    ({ instancePath, message = '', params }) =>
      `${at}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
