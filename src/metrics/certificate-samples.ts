import type { Endpoint } from '../manager/endpoint.ts';
import type { InstalledCertificate } from '../manager/installed-certificate.ts';
import { type Certificate, isSelfIssued } from '../x509/certificate.ts';
import { type Name, valuesOf } from '../x509/name.ts';
import { endpointLabel } from './endpoint-label.ts';
import type { SamplesOf } from './exposition.ts';
import type { managerMetrics } from './manager-metrics.ts';

/** Characters of a name that a label shows: the subject of a certificate is for its issuer to choose. */
const maxNameLength = 128;

type ListedEndpoint = Pick<Endpoint, 'definition' | 'list'>;

type CertificateSamples = Pick<
  SamplesOf<typeof managerMetrics>,
  'notAfter' | 'notBefore' | 'selfSigned' | 'warnings'
>;

/** @param max the most certificates of an endpoint that are told of one by one, those first that expire first */
export function certificateSamples(
  endpoints: readonly ListedEndpoint[],
  max: number,
): CertificateSamples {
  const all = endpoints.flatMap((endpoint) =>
    firstToExpire(endpoint.list(), max).map((installed) => rowOf(endpoint, installed)),
  );
  const served = all.filter(({ labels }) => labels.type !== 'authority');
  return {
    notAfter: all.map(({ labels, certificate }) => ({ labels, value: certificate.notAfter })),
    notBefore: all.map(({ labels, certificate }) => ({ labels, value: certificate.notBefore })),
    selfSigned: served.map(({ labels, certificate }) => ({
      labels,
      value: isSelfIssued(certificate) ? 1 : 0,
    })),
    warnings: served.map(({ labels, findings }) => ({
      labels,
      value: findings?.warnings.length ?? 0,
    })),
  };
}

function rowOf(
  { definition }: ListedEndpoint,
  { id, certificate, findings }: InstalledCertificate,
) {
  const labels = {
    endpoint: endpointLabel(definition),
    type: definition.type,
    id,
    subject_cn: commonName(certificate.subject),
    issuer_cn: commonName(certificate.issuer),
    serial: certificate.serialNumber,
  };
  return { labels, certificate, findings };
}

function firstToExpire(
  installed: readonly InstalledCertificate[],
  max: number,
): readonly InstalledCertificate[] {
  if (installed.length <= max) return installed;
  const end = ({ certificate }: { readonly certificate: Certificate }) => certificate.notAfter;
  return [...installed].sort((a, b) => end(a) - end(b)).slice(0, max);
}

/** Without what moves the text around it where an alert shows it. */
function commonName(name: Name): string {
  const characters = [...(valuesOf(name, 'CN').at(-1) ?? '')];
  const shown =
    characters.length <= maxNameLength ? characters : characters.slice(0, maxNameLength);
  const text = shown.join('').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return shown === characters ? text : `${text}…`;
}
