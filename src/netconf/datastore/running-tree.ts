import { publicKeyInfo } from '../../x509/keys.ts';
import { configuration } from '../models/configuration.ts';
import { namespaces } from '../models/modules.ts';
import type { SchemaNode } from '../models/schema-node.ts';
import { type CertDataFormat, certDataOf } from './certificate-data.ts';
import { type DataNode, innerNode, leafNode } from './data-node.ts';
import type { Holder, NamedCertificates, Running } from './running.ts';

/** The one format of public keys that there is here. */
export const spkiFormat = `{${namespaces.cryptoTypes}}subject-public-key-info-format`;

/** What is in service, as nodes of the configuration. */
export function runningTree({ keys, bags }: Running, format: CertDataFormat): readonly DataNode[] {
  const tree: Content = {
    keystore: {
      'asymmetric-keys': {
        'asymmetric-key': keys.map((one) => ({
          name: one.name,
          ...publicKeyOf(one),
          'hidden-private-key': '',
          certificates: { certificate: certificatesOf(one, format) },
        })),
      },
    },
    truststore: {
      'certificate-bags': {
        'certificate-bag': bags.map((one) => ({
          name: one.name,
          ...(one.description !== undefined && { description: one.description }),
          certificate: certificatesOf(one, format),
        })),
      },
    },
  };
  return nodesOf(configuration, tree);
}

/** The content of a node by the names of those inside: text of leaves, an array for the entries of a list. */
interface Content {
  readonly [name: string]: string | Content | readonly Content[];
}

function nodesOf(schemas: readonly SchemaNode[], content: Content): readonly DataNode[] {
  return schemas.flatMap((schema) => {
    const value = content[schema.name];
    if (value === undefined) return [];
    if (schema.kind === 'leaf') return [leafNode(schema, String(value))];
    const entries: readonly Content[] = Array.isArray(value) ? value : [value];
    return entries.map((one) => innerNode(schema, nodesOf(schema.children, one)));
  });
}

function certificatesOf({ certificates }: Holder, format: CertDataFormat): readonly Content[] {
  return certificates.map(({ name, certificates: held }) => ({
    name,
    'cert-data': certDataOf(held, format),
  }));
}

function publicKeyOf({ certificates: [first] }: Holder): Content {
  const spki = first && publicKeyOfCertificates(first);
  return spki ? { 'public-key-format': spkiFormat, 'public-key': spki } : {};
}

/** Base64 of the public key of what a key has. */
export function publicKeyOfCertificates({
  certificates: [leaf],
}: NamedCertificates): string | undefined {
  return leaf && publicKeyInfo(leaf.publicKey).toString('base64');
}
