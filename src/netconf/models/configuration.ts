import { namespaces } from './modules.ts';
import type { ContainerNode, LeafNode, ListNode, SchemaNode } from './schema-node.ts';

const { keystore, truststore } = namespaces;

/** ietf-keystore with the feature asymmetric-keys, and of private keys with the case hidden-private-key alone (RFC 9642 §2). */
const keystoreNode = container(keystore, 'keystore', [
  container(keystore, 'asymmetric-keys', [
    list(keystore, 'asymmetric-key', [
      leaf(keystore, 'public-key-format', 'identityref'),
      leaf(keystore, 'public-key', 'binary'),
      leaf(keystore, 'hidden-private-key', 'empty'),
      container(keystore, 'certificates', [
        list(keystore, 'certificate', [mandatory(leaf(keystore, 'cert-data', 'binary'))]),
      ]),
    ]),
  ]),
]);

/** ietf-truststore with the feature certificates (RFC 9641 §2). */
const truststoreNode = container(truststore, 'truststore', [
  container(truststore, 'certificate-bags', [
    list(truststore, 'certificate-bag', [
      leaf(truststore, 'description', 'string'),
      list(truststore, 'certificate', [mandatory(leaf(truststore, 'cert-data', 'binary'))]),
    ]),
  ]),
]);

/** All that can be configured. */
export const configuration: readonly SchemaNode[] = [keystoreNode, truststoreNode];

function container(
  namespace: string,
  name: string,
  children: readonly SchemaNode[],
): ContainerNode {
  return { kind: 'container', namespace, name, children };
}

function list(namespace: string, name: string, children: readonly SchemaNode[]): ListNode {
  const key = leaf(namespace, 'name', 'string');
  return { kind: 'list', namespace, name, key: key.name, children: [key, ...children] };
}

function leaf(namespace: string, name: string, type: LeafNode['type']): LeafNode {
  return { kind: 'leaf', namespace, name, type };
}

function mandatory(node: LeafNode): LeafNode {
  return { ...node, mandatory: true };
}
