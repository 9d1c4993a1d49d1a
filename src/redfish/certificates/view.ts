import type { PublishedCertificate } from '../../manager/certificate-client.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { colonHex } from '../../x509/colon-hex.ts';
import type { Name } from '../../x509/name.ts';
import { link } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { CertificateLinks } from './certificate-links.ts';
import type { CertificateCollection } from './collections.ts';
import { conditionsOf } from './findings.ts';
import { type Lifetime, statusOf } from './health.ts';
import { successorActions } from './rekey-renew.ts';
import type { ServedCertificate } from './served.ts';

/** What a Certificate resource is made from, beside the certificate. */
export interface ViewParts extends Lifetime {
  readonly certificateLinks: (published: PublishedCertificate) => CertificateLinks;
  readonly served?: Pick<ServedCertificate, 'conditionsOf'>;
}

/** The Certificate resource (DSP2046, Certificate). */
export function certificateView(
  { certificateLinks, served, ...lifetime }: ViewParts,
  collection: Pick<
    CertificateCollection,
    'uri' | 'certificateName' | 'usageTypes' | 'requestUsages'
  > &
    Partial<Pick<CertificateCollection, 'endpoint'>>,
  published: PublishedCertificate,
) {
  const { id, certificate, chain } = published;
  const { fingerprint, serialNumber } = certificate;
  const uri = `${collection.uri}/${id}`;
  const ofServing =
    (collection.endpoint && served?.conditionsOf(collection.endpoint, published)) ?? [];
  return {
    '@odata.id': uri,
    '@odata.type': typeOf('Certificate'),
    Id: id,
    Name: collection.certificateName,
    Description: collection.certificateName,
    CertificateString: [certificate, ...chain].map(({ pem }) => pem).join(''),
    CertificateType: chain.length > 0 ? 'PEMchain' : 'PEM',
    CertificateUsageTypes: collection.usageTypes,
    Fingerprint: colonHex(fingerprint),
    FingerprintHashAlgorithm: 'TPM_ALG_SHA256',
    Issuer: identifier(certificate.issuer),
    KeyUsage: certificate.keyUsage,
    SerialNumber: colonHex(serialNumber),
    SignatureAlgorithm: certificate.signatureAlgorithm,
    Subject: { ...identifier(certificate.subject), ...alternativeNames(certificate) },
    ValidNotAfter: dateTime(certificate.notAfter),
    ValidNotBefore: dateTime(certificate.notBefore),
    Status: statusOf(certificate, lifetime, [...conditionsOf(published), ...ofServing]),
    Links: linksOf(certificateLinks(published)),
    ...(collection.requestUsages && { Actions: actionsOf(uri) }),
  };
}

function linksOf({ issuer, subjects }: CertificateLinks) {
  return {
    ...(issuer !== undefined && { Issuer: link(issuer) }),
    Subjects: subjects.map(link),
    'Subjects@odata.count': subjects.length,
  };
}

function actionsOf(uri: string) {
  return Object.fromEntries(
    successorActions.map((action) => [
      `#Certificate.${action}`,
      {
        target: `${uri}/Actions/Certificate.${action}`,
        '@Redfish.ActionInfo': `${uri}/${action}ActionInfo`,
      },
    ]),
  );
}

/** Members of Certificate.Identifier by the short names of the attributes. */
const single = {
  C: 'Country',
  CN: 'CommonName',
  L: 'City',
  O: 'Organization',
  OU: 'OrganizationalUnit',
  ST: 'State',
  emailAddress: 'Email',
} as const;

/** Where further values of an attribute go; the schema has a place only for these. */
const additional = { CN: 'AdditionalCommonNames', OU: 'AdditionalOrganizationalUnits' } as const;

type Identifier = Readonly<Record<string, string | readonly string[]>>;

function identifier(name: Name): Identifier {
  const attributes = name.flat();
  const members: Record<string, string | string[]> = {};
  for (const { type, value } of attributes) {
    if (!isSingle(type)) continue;
    members[single[type]] ??= value;
  }
  for (const [type, member] of Object.entries(additional)) {
    const [, ...others] = attributes.filter((one) => one.type === type).map(({ value }) => value);
    if (others.length > 0) members[member] = others;
  }
  const domain = attributes.filter(({ type }) => type === 'DC').map(({ value }) => value);
  if (domain.length > 0) members.DomainComponents = domain;
  if (attributes.length > 0) members.DisplayString = displayString(name);
  return members;
}

function isSingle(type: string): type is keyof typeof single {
  return Object.hasOwn(single, type);
}

/** The name as text, with the escapes of RFC 4514 §2.4, in the order of the certificate. */
function displayString(name: Name): string {
  const escaped = (value: string) =>
    value.replace(/[\\",+;<>]|^[ #]| $/g, (special) => `\\${special}`);
  return name
    .map((rdn) => rdn.map(({ type, value }) => `${type}=${escaped(value)}`).join('+'))
    .join(',');
}

function alternativeNames({ alternativeNames: names }: Certificate): Identifier {
  return names.length > 0 ? { AlternativeNames: names.map(({ value }) => value) } : {};
}

/** ISO 8601 with an offset, as bmcweb writes it; years that it cannot express are clamped. */
function dateTime(seconds: number): string {
  const clamped = Math.min(Math.max(seconds, 0), 253_402_300_799);
  return new Date(clamped * 1000).toISOString().replace(/\.000Z$/, '+00:00');
}
