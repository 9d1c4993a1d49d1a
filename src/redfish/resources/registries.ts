import { notFound } from '../messages/redfish-error.ts';
import { registries, registryView } from '../messages/registries.ts';
import { collectionView, naming, type Resource, readOnly } from '../resource.ts';

const collection = '/redfish/v1/Registries';

/** MessageRegistryFileCollection, its files and the registries themselves (DSP0266, "Registries"). */
export const messageRegistries: readonly Resource[] = [
  readOnly(collection, 'MessageRegistryFileCollection', () =>
    collectionView(
      collection,
      'MessageRegistryFileCollection',
      ['Registry File Collection', 'Registries of the messages that this service sends'],
      registries.map(({ prefix }) => `${collection}/${prefix}`),
    ),
  ),
  readOnly(`${collection}/:prefix`, 'MessageRegistryFile', ({ parameters: { prefix = '' } }) => {
    const { name, version, owner } = registryOf(prefix);
    const file = `${prefix}.${version}.json`;
    return {
      ...naming('MessageRegistryFile', `${collection}/${prefix}`),
      Name: `${prefix} Message Registry File`,
      Description: `Where the message registry ${name} is`,
      Registry: name,
      Languages: ['en'],
      Location: [
        {
          Language: 'en',
          Uri: `${collection}/${prefix}/${file}`,
          ...(owner === 'DMTF' && {
            PublicationUri: `https://redfish.dmtf.org/registries/${file}`,
          }),
        },
      ],
    };
  }),
  readOnly(
    `${collection}/:prefix/:file`,
    'MessageRegistryFile',
    ({ parameters: { prefix = '', file = '' } }) => {
      const registry = registryOf(prefix);
      if (file !== `${prefix}.${registry.version}.json`) throw unknown(file);
      return registryView(registry);
    },
  ),
];

function registryOf(prefix: string) {
  const found = registries.find((one) => one.prefix === prefix);
  if (!found) throw unknown(prefix);
  return found;
}

function unknown(id: string) {
  return notFound('MessageRegistryFile', id);
}
