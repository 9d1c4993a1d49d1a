import { yangModules } from '../../../schemas/generated/yang-modules.js';
import { baseNamespace } from '../rpc/base-namespace.ts';

export const namespaces = {
  netconf: baseNamespace,
  monitoring: 'urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring',
  keystore: 'urn:ietf:params:xml:ns:yang:ietf-keystore',
  truststore: 'urn:ietf:params:xml:ns:yang:ietf-truststore',
  cryptoTypes: 'urn:ietf:params:xml:ns:yang:ietf-crypto-types',
} as const;

/** A YANG module that clients may fetch. */
export interface YangModule {
  readonly name: string;
  readonly revision: string;
  readonly namespace: string;
  /** What there is of it, when it is announced; one that is absent is there for modules that import it. */
  readonly features?: readonly string[];
}

export const modules: readonly YangModule[] = [
  {
    ...{ name: 'ietf-netconf', revision: '2011-06-01', namespace: namespaces.netconf },
    features: ['writable-running', 'rollback-on-error'],
  },
  {
    ...{ name: 'ietf-netconf-monitoring', revision: '2010-10-04' },
    ...{ namespace: namespaces.monitoring, features: [] },
  },
  {
    ...{ name: 'ietf-keystore', revision: '2024-10-10', namespace: namespaces.keystore },
    features: ['central-keystore-supported', 'asymmetric-keys'],
  },
  {
    ...{ name: 'ietf-truststore', revision: '2024-10-10', namespace: namespaces.truststore },
    features: ['central-truststore-supported', 'certificates'],
  },
  {
    ...{ name: 'ietf-crypto-types', revision: '2024-10-10', namespace: namespaces.cryptoTypes },
    features: ['hidden-private-keys'],
  },
  imported('ietf-netconf-acm', '2018-02-14'),
  imported('ietf-yang-types', '2013-07-15'),
  imported('ietf-inet-types', '2013-07-15'),
];

/** The URI that announces a module (RFC 6020 §5.6.4); `undefined` for one that is there for others alone. */
export function moduleCapability(module: YangModule): string | undefined {
  const { name, revision, namespace, features } = module;
  if (!features) return undefined;
  const listed = features.length > 0 ? `&features=${features.join(',')}` : '';
  return `${namespace}?module=${name}&revision=${revision}${listed}`;
}

export function yangText({ name, revision }: YangModule): string {
  const text = yangModules[`${name}@${revision}`];
  if (text === undefined) throw new TypeError(`schemas/yang has no ${name}@${revision}`);
  return text;
}

function imported(name: string, revision: string): YangModule {
  return { name, revision, namespace: `urn:ietf:params:xml:ns:yang:${name}` };
}
