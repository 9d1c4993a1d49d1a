import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { KeyUsage } from '../../manager/x509/oids.ts';

/** Where the certificates of an endpoint appear in the Redfish tree. */
export interface CertificatePlace {
  readonly endpoint: EndpointRef;
  /** URI of the collection. */
  readonly uri: string;
  readonly collectionName: string;
  readonly collectionDescription: string;
  /** Name of each certificate; the OpenBMC web UI knows the kinds by these very texts. */
  readonly certificateName: string;
  /** Redfish `CertificateUsageTypes`. */
  readonly usageTypes: readonly string[];
  readonly canCreate: boolean;
  readonly canDelete: boolean;
  /** Key usages of a request that names none; absent where no request can be made. */
  readonly requestUsages?: readonly KeyUsage[];
  /** False for a second address of certificates that have their canonical one elsewhere. */
  readonly canonical: boolean;
}

/** The places of OpenBMC (bmcweb), with its names and texts. */
export function certificatePlaces(managerId: string): readonly CertificatePlace[] {
  const manager = `/redfish/v1/Managers/${managerId}`;
  return [
    {
      endpoint: { type: 'authority', name: 'truststore' },
      uri: `${manager}/Truststore/Certificates`,
      collectionName: 'TrustStore Certificates Collection',
      collectionDescription: 'A Collection of TrustStore certificate instances',
      certificateName: 'TrustStore Certificate',
      usageTypes: ['User', 'Web'],
      canCreate: true,
      canDelete: true,
      canonical: true,
    },
    {
      endpoint: { type: 'client', name: 'ldap' },
      uri: '/redfish/v1/AccountService/LDAP/Certificates',
      collectionName: 'LDAP Certificates Collection',
      collectionDescription: 'A Collection of LDAP certificate instances',
      certificateName: 'LDAP Certificate',
      usageTypes: ['Device'],
      canCreate: true,
      canDelete: true,
      requestUsages: ['DigitalSignature', 'ClientAuthentication'],
      canonical: true,
    },
    {
      endpoint: { type: 'server', name: 'https' },
      uri: `${manager}/NetworkProtocol/HTTPS/Certificates`,
      collectionName: 'HTTPS Certificates Collection',
      collectionDescription: 'A Collection of HTTPS certificate instances',
      certificateName: 'HTTPS Certificate',
      usageTypes: ['Web'],
      canCreate: true,
      canDelete: false,
      requestUsages: ['DigitalSignature', 'ServerAuthentication'],
      canonical: true,
    },
    {
      endpoint: { type: 'authority', name: 'truststore' },
      uri: '/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates',
      collectionName: 'Certificates Collection',
      collectionDescription: 'Multi-factor Authentication Client Certificates',
      certificateName: 'Client Certificate',
      usageTypes: ['User', 'Web'],
      canCreate: false,
      canDelete: false,
      canonical: false,
    },
  ];
}

/** A path of a reference without what clients add to it; `undefined` when it is no path. */
export function normalPath(reference: string): string | undefined {
  // Two slashes would begin the name of another host
  if (!/^\/(?!\/)/.test(reference) || !URL.canParse(reference, 'https://service')) return undefined;
  return new URL(reference, 'https://service').pathname.replace(/\/+$/, '');
}

/** The place whose collection this reference names. */
export function placeOfCollection(
  places: readonly CertificatePlace[],
  reference: string,
): CertificatePlace | undefined {
  const path = normalPath(reference);
  return places.find(({ uri }) => uri === path);
}

/** The place and id of the certificate that this reference names; it need not exist. */
export function placeOfCertificate(
  places: readonly CertificatePlace[],
  reference: string,
): { readonly place: CertificatePlace; readonly id: string } | undefined {
  const path = normalPath(reference) ?? '';
  const slash = path.lastIndexOf('/');
  const place = places.find(({ uri }) => uri === path.slice(0, slash));
  return place && { place, id: path.slice(slash + 1) };
}
