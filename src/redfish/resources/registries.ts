import { RedfishError } from '../messages/redfish-error.ts';
import { registries } from '../messages/registries.ts';
import { json, link } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory } from '../service-parts.ts';

const collection = '/redfish/v1/Registries';

/** MessageRegistryFileCollection, its files and the registries themselves (DSP0266, "Registries"). */
export const messageRegistries: ResourceFactory = () => [
  {
    path: collection,
    entity: 'MessageRegistryFileCollection',
    operations: {
      GET: {
        handle: () =>
          json({
            '@odata.id': collection,
            '@odata.type': typeOf('MessageRegistryFileCollection'),
            Name: 'Registry File Collection',
            Description: 'Registries of the messages that this service sends',
            Members: registries.map(({ prefix }) => link(`${collection}/${prefix}`)),
            'Members@odata.count': registries.length,
          }),
      },
    },
  },
  {
    path: `${collection}/:prefix`,
    entity: 'MessageRegistryFile',
    operations: {
      GET: {
        handle({ parameters: { prefix = '' } }) {
          const { name, version, publicationUri } = registryOf(prefix);
          return json({
            '@odata.id': `${collection}/${prefix}`,
            '@odata.type': typeOf('MessageRegistryFile'),
            Id: prefix,
            Name: `${prefix} Message Registry File`,
            Description: `Where the message registry ${name} is`,
            Registry: name,
            Languages: ['en'],
            Location: [
              {
                Language: 'en',
                Uri: `${collection}/${prefix}/${prefix}.${version}.json`,
                ...(publicationUri !== undefined && { PublicationUri: publicationUri }),
              },
            ],
          });
        },
      },
    },
  },
  {
    path: `${collection}/:prefix/:file`,
    entity: 'MessageRegistryFile',
    operations: {
      GET: {
        handle({ parameters: { prefix = '', file = '' } }) {
          const registry = registryOf(prefix);
          if (file !== `${prefix}.${registry.version}.json`) throw unknown(file);
          return json(registry.render());
        },
      },
    },
  },
];

function registryOf(prefix: string) {
  const found = registries.find((one) => one.prefix === prefix);
  if (!found) throw unknown(prefix);
  return found;
}

function unknown(id: string): RedfishError {
  return new RedfishError(404, { id: 'ResourceNotFound', args: ['MessageRegistryFile', id] });
}
