import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { KeyUsage } from '../../x509/oids.ts';

/** Where the certificates of an endpoint appear in the Redfish tree. */
export interface CertificateCollection {
  readonly endpoint: EndpointRef;
  /** A second name of the endpoint on the bus. */
  readonly alias?: string | undefined;
  /** URI of the collection. */
  readonly uri: string;
  readonly collectionName: string;
  readonly collectionDescription: string;
  /** Name of each certificate; the OpenBMC web UI knows the kinds by these very texts. */
  readonly certificateName: string;
  /** Redfish `CertificateUsageTypes`. */
  readonly usageTypes: readonly string[];
  readonly canDelete: boolean;
  /** Key usages of a request that names none; absent where no request can be made. */
  readonly requestUsages?: readonly KeyUsage[];
  /** False for a second address of certificates that have their canonical one elsewhere. */
  readonly canonical: boolean;
  /** Whether CertificateLocations lists the certificates. */
  readonly inLocations: boolean;
  /** Of an endpoint that came at run time, and goes again. */
  readonly isOfRunTime: boolean;
}

/** A collection whose certificates can be deleted, and have their canonical addresses there, unless it says otherwise. */
type CollectionDescription = Omit<
  CertificateCollection,
  'endpoint' | 'alias' | 'inLocations' | 'canDelete' | 'canonical' | 'isOfRunTime'
> &
  Partial<Pick<CertificateCollection, 'canDelete' | 'canonical'>>;

/** An endpoint as the configuration has it. */
interface ConfiguredEndpoint extends EndpointRef {
  readonly alias?: string;
  readonly inCertificateLocations?: boolean;
}

const serverUsages: readonly KeyUsage[] = ['DigitalSignature', 'ServerAuthentication'];
const clientUsages: readonly KeyUsage[] = ['DigitalSignature', 'ClientAuthentication'];

/** The collections of the endpoints that clients know, with the names and texts of OpenBMC (bmcweb). */
function knownCollections(
  manager: string,
): Readonly<Record<string, readonly CollectionDescription[]>> {
  const https: CollectionDescription = {
    uri: `${manager}/NetworkProtocol/HTTPS/Certificates`,
    collectionName: 'HTTPS Certificates Collection',
    collectionDescription: 'A Collection of HTTPS certificate instances',
    certificateName: 'HTTPS Certificate',
    usageTypes: ['Web'],
    canDelete: false,
    requestUsages: serverUsages,
  };
  const ldap: CollectionDescription = {
    uri: '/redfish/v1/AccountService/LDAP/Certificates',
    collectionName: 'LDAP Certificates Collection',
    collectionDescription: 'A Collection of LDAP certificate instances',
    certificateName: 'LDAP Certificate',
    usageTypes: ['Device'],
    requestUsages: clientUsages,
  };
  const truststore: CollectionDescription = {
    uri: `${manager}/Truststore/Certificates`,
    collectionName: 'TrustStore Certificates Collection',
    collectionDescription: 'A Collection of TrustStore certificate instances',
    certificateName: 'TrustStore Certificate',
    usageTypes: ['User', 'Web'],
  };
  const revoked: CollectionDescription = {
    uri: `${manager}/SecurityPolicy/TLS/Server/RevokedCertificates`,
    collectionName: 'Revoked Certificates Collection',
    collectionDescription: 'Certificates whose owners may not log in any more',
    certificateName: 'Revoked Certificate',
    usageTypes: ['User'],
  };
  return {
    'authority/truststore': [
      truststore,
      {
        ...truststore,
        uri: '/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates',
        collectionName: 'Certificates Collection',
        collectionDescription: 'Multi-factor Authentication Client Certificates',
        certificateName: 'Client Certificate',
        canonical: false,
      },
      ...['Server', 'Client'].map((side) => ({
        ...truststore,
        uri: `${manager}/SecurityPolicy/TLS/${side}/TrustedCertificates`,
        collectionName: 'Trusted Certificates Collection',
        collectionDescription: 'Authorities whose certificates are trusted',
        canonical: false,
      })),
    ],
    'client/ldap': [ldap],
    'server/https': [https],
    'authority/revoked': [revoked],
  };
}

/** The collection of an endpoint that no Redfish client knows by name. */
function otherCollection(manager: string, { type, name }: EndpointRef): CollectionDescription {
  return {
    uri: otherUri(manager, { type, name }),
    collectionName: `${name} Certificates Collection`,
    collectionDescription: `Certificates of the ${type} endpoint ${name}`,
    certificateName: `${name} Certificate`,
    usageTypes: ['Device'],
    ...(type === 'server' && { requestUsages: serverUsages }),
    ...(type === 'client' && { requestUsages: clientUsages }),
  };
}

function otherUri(manager: string, { type, name }: EndpointRef): string {
  return `${manager}/CertificateEndpoints/${type}/${name}/Certificates`;
}

/** Every collection of these endpoints of the configuration, in their order. */
export function collectionsOf(
  managerId: string,
  endpoints: readonly ConfiguredEndpoint[],
): readonly CertificateCollection[] {
  const manager = managerUri(managerId);
  const known = knownCollections(manager);
  return endpoints.flatMap(({ type, name, alias, inCertificateLocations = true }) => {
    const described = known[`${type}/${name}`] ?? [otherCollection(manager, { type, name })];
    return described.map(({ canDelete = true, canonical = true, ...one }) => ({
      ...{ ...one, canDelete, canonical, isOfRunTime: false },
      endpoint: { type, name },
      alias,
      inLocations: canonical && inCertificateLocations,
    }));
  });
}

/** The collections of endpoints that came at run time. */
export function runTimeCollections(
  managerId: string,
  endpoints: readonly EndpointRef[],
  inLocations: boolean,
): readonly CertificateCollection[] {
  return endpoints.map((endpoint) => ({
    ...otherCollection(managerUri(managerId), endpoint),
    ...{ endpoint, inLocations, canDelete: true, canonical: true, isOfRunTime: true },
  }));
}

/** Where those of a type are, with the id as `:endpoint`. */
export function runTimePath(managerId: string, type: EndpointRef['type']): string {
  return otherUri(managerUri(managerId), { type, name: ':endpoint' });
}

function managerUri(managerId: string): string {
  return `/redfish/v1/Managers/${managerId}`;
}

/** The canonical collection of an endpoint; `undefined` for one that is not configured. */
export function canonicalCollection(
  collections: readonly CertificateCollection[],
  { type, name }: EndpointRef,
): CertificateCollection | undefined {
  return collections.find(
    ({ canonical, endpoint }) => canonical && endpoint.type === type && endpoint.name === name,
  );
}

/** A path of a reference without what clients add to it; `undefined` when it is no path. */
export function normalPath(reference: string): string | undefined {
  // Two slashes would begin the name of another host
  if (!/^\/(?!\/)/.test(reference) || !URL.canParse(reference, 'https://service')) return undefined;
  const path = new URL(reference, 'https://service').pathname;
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

/** The collection that this reference names. */
export function findCollection(
  collections: readonly CertificateCollection[],
  reference: string,
): CertificateCollection | undefined {
  const path = normalPath(reference);
  return collections.find(({ uri }) => uri === path);
}

/** The collection and id of the certificate that this reference names; it need not exist. */
export function findCertificate(
  collections: readonly CertificateCollection[],
  reference: string,
): { readonly collection: CertificateCollection; readonly id: string } | undefined {
  const path = normalPath(reference) ?? '';
  const slash = path.lastIndexOf('/');
  const collection = collections.find(({ uri }) => uri === path.slice(0, slash));
  return collection && { collection, id: path.slice(slash + 1) };
}
