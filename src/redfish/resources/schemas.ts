import { notFound } from '../messages/redfish-error.ts';
import { renderCsdl } from '../oem/csdl.ts';
import { oemName, oemVersion } from '../oem/declaration.ts';
import { renderJsonSchema } from '../oem/json-schema.ts';
import { collectionView, naming, type Resource, readOnly } from '../resource.ts';
import { type SchemaName, schemaUri, schemaVersions, typeOf } from '../schema-versions.ts';

const collection = '/redfish/v1/JsonSchemas';
const names = Object.keys(schemaVersions) as SchemaName[];

/** Our own schema, in both forms; it is published only here. */
const own = `${oemName}.${oemVersion}`;
const ownSchema = `/redfish/v1/schemas/${own}.json`;
const ownCsdl = `/redfish/v1/schemas/${oemName}_v1.xml`;
const xml = { 'Content-Type': 'application/xml; charset=utf-8' };

/** JsonSchemas, which says where the schemas are published, ours, and `$metadata` (DSP0266, "OData metadata"). */
export const schemas: readonly Resource[] = [
  readOnly(collection, 'JsonSchemaFileCollection', () =>
    collectionView(
      collection,
      'JsonSchemaFileCollection',
      ['JSON Schema File Collection', 'Schemas of the resources of this service'],
      [...names.map(fileOf), own].map((file) => `${collection}/${file}`),
    ),
  ),
  readOnly(`${collection}/${own}`, 'JsonSchemaFile', () => ({
    ...naming('JsonSchemaFile', `${collection}/${own}`),
    Name: `${oemName} Schema File`,
    Description: 'Where the schema of what is not of DMTF is',
    Schema: `#${own}`,
    Languages: ['en'],
    Location: [{ Language: 'en', Uri: ownSchema }],
  })),
  readOnly(ownSchema, 'JsonSchemaFile', () => renderJsonSchema(ownSchema)),
  {
    path: ownCsdl,
    entity: 'JsonSchemaFile',
    operations: { GET: { handle: () => ({ status: 200, headers: xml, text: renderCsdl() }) } },
  },
  readOnly(`${collection}/:file`, 'JsonSchemaFile', ({ parameters: { file = '' } }) => {
    const name = names.find((one) => fileOf(one) === file);
    if (!name) throw notFound('JsonSchemaFile', file);
    return {
      ...naming('JsonSchemaFile', `${collection}/${file}`),
      Name: `${name} Schema File`,
      Description: `Where the schema of ${name} is`,
      Schema: typeOf(name),
      Languages: ['en'],
      Location: [{ Language: 'en', PublicationUri: schemaUri(typeOf(name)) }],
    };
  }),
  {
    path: '/redfish/v1/$metadata',
    entity: 'ServiceRoot',
    operations: {
      GET: {
        open: true,
        handle: () => ({
          status: 200,
          headers: xml,
          text: metadata,
        }),
      },
    },
  },
];

function fileOf(name: SchemaName): string {
  const version = schemaVersions[name];
  return version === '' ? name : `${name}.${version}`;
}

const published = 'http://redfish.dmtf.org/schemas/v1';

/** Clients look for the entity container in the first schema. */
const metadata = [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">',
  ...names.map((name) => {
    const version = schemaVersions[name];
    const namespaces = version === '' ? [name] : [name, `${name}.${version}`];
    return reference(`${published}/${name}_v1.xml`, namespaces);
  }),
  reference(ownCsdl, [oemName, own]),
  `  <edmx:Reference Uri="${published}/RedfishExtensions_v1.xml">`,
  '    <edmx:Include Namespace="RedfishExtensions.v1_0_0" Alias="Redfish"/>',
  '  </edmx:Reference>',
  '  <edmx:DataServices>',
  '    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">',
  `      <EntityContainer Name="Service" Extends="ServiceRoot.${schemaVersions.ServiceRoot}.ServiceContainer"/>`,
  '    </Schema>',
  '  </edmx:DataServices>',
  '</edmx:Edmx>',
  '',
].join('\n');

function reference(uri: string, namespaces: readonly string[]): string {
  return [
    `  <edmx:Reference Uri="${uri}">`,
    ...namespaces.map((namespace) => `    <edmx:Include Namespace="${namespace}"/>`),
    '  </edmx:Reference>',
  ].join('\n');
}
