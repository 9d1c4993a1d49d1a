import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a schema defines for all of its versions (enumerations and small types), as JSON Schema. In
 * DMTF's bundle these stand in the unversioned JSON file, which a folder of newest versions lacks;
 * the CSDL has them. Answers undefined when there is no such definition.
 */
export function readCsdlDefinition(
  folder: string,
  schema: string,
  name: string,
): object | undefined {
  const file = join(folder, `${schema}_v1.xml`);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(`Namespace="${schema}">`);
  const namespace = text.slice(start, text.indexOf('</Schema>', start));
  const found = new RegExp(
    `<(EnumType|TypeDefinition|ComplexType) Name="${name}"[^>]*?(?:/>|>([\\s\\S]*?)</\\1>)`,
  ).exec(namespace);
  if (!found) return undefined;
  const [, kind, content = ''] = found;
  if (kind === 'EnumType') return { type: 'string', enum: namesOf('Member', content) };
  if (kind === 'TypeDefinition') return { type: 'string' };
  return objectOf(schema, content);
}

const annotation = '^([a-zA-Z_][a-zA-Z0-9_]*)?@(odata|Redfish|Message)\\.[a-zA-Z_][a-zA-Z0-9_]*$';

function objectOf(schema: string, content: string): object {
  if (content.includes('Term="OData.AdditionalProperties" Bool="true"')) return { type: 'object' };
  const own = new RegExp(`^${schema}\\.(\\w+)$`);
  const properties = [...content.matchAll(/<Property Name="(\w+)" Type="([^"]+)"/g)].map(
    ([, name = '', type = '']) => {
      const inner = own.exec(type)?.[1];
      const reference = { $ref: `${schema}.json#/definitions/${inner}` };
      return [name, inner === undefined ? {} : { anyOf: [reference, { type: 'null' }] }];
    },
  );
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    patternProperties: { [annotation]: {} },
    additionalProperties: false,
  };
}

function namesOf(element: string, content: string): string[] {
  const elements = content.matchAll(new RegExp(`<${element} Name="([^"]+)"`, 'g'));
  return [...elements].map(([, name = '']) => name);
}
