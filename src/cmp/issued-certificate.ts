import type { KeyObject } from 'node:crypto';
import { reasonOf } from '../core/cert-error.ts';
import { Asn1Error, childrenOf, readDer } from '../x509/asn1/element.ts';
import { readAs } from '../x509/asn1/structure.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { findPath, readCandidates } from '../x509/certificate-path.ts';
import type { GeneralName } from '../x509/general-names.ts';
import { isSameKey } from '../x509/keys.ts';
import type { ContentLimits } from '../x509/limits.ts';
import { formatName, type NewAttribute, sameName } from '../x509/name.ts';
import { keyPurposes } from '../x509/oids.ts';
import { algorithmIdentifier } from './messages/certificate-request.ts';
import { digestOfSignature } from './protection/signature.ts';

export type Use = 'tls-server' | 'tls-client' | 'both';

/** What the certificate must be that the CA issues. */
export interface Wanted {
  readonly subject: readonly NewAttribute[];
  readonly names: readonly GeneralName[];
  readonly publicKey: KeyObject;
  readonly use: Use;
  readonly ignoreKeyUsage: boolean;
  readonly current: Certificate | undefined;
  readonly anchors: readonly Certificate[];
  /** How much of the certificate is read. */
  readonly content: ContentLimits;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The CA's clock may be before ours. */
const maxSkew = 300;

/** Why an issued certificate is refused, as a clause; `undefined` when it is taken. */
export function certificateFault(
  der: Buffer,
  helpers: readonly Buffer[],
  wanted: Wanted,
): string | undefined {
  const read = readIssued(der, wanted.content);
  if (typeof read === 'string') return read;
  return (
    ownFault(read, wanted) ??
    nameFault(read, wanted) ??
    (wanted.ignoreKeyUsage ? undefined : usageFault(read, wanted.use)) ??
    pathFault(read, helpers, wanted)
  );
}

/** The issuers that go into service with it, nearest first and without the root. */
export function chainOf(der: Buffer, helpers: readonly Buffer[], wanted: Wanted): Certificate[] {
  const path = pathOf(readCertificate(der, wanted.content), helpers, wanted);
  if (typeof path === 'string') return [];
  return path.slice(1).filter((one) => !sameName(one.subject, one.issuer));
}

function readIssued(der: Buffer, content: ContentLimits): Certificate | string {
  try {
    const [, signature] = childrenOf(readDer(der));
    const { algorithm } = readAs(algorithmIdentifier, signature?.der ?? Buffer.alloc(0));
    if (digestOfSignature(algorithm) === undefined)
      return `its signature algorithm ${algorithm} is not taken`;
    return readCertificate(der, content);
  } catch (error) {
    if (error instanceof Asn1Error) return `it is no DER: ${error.message}`;
    return reasonOf(error);
  }
}

function ownFault(issued: Certificate, wanted: Wanted): string | undefined {
  const { current, now, publicKey } = wanted;
  if (!isSameKey(issued.publicKey, publicKey))
    return 'it is for another key than the requested one';
  if (issued.isCa) return 'it is a CA certificate';
  if (issued.unknownCritical.length > 0)
    return `it has the unknown critical extension ${issued.unknownCritical[0]}`;
  if (issued.notAfter <= now) return 'it has expired';
  if (issued.notBefore > now + maxSkew) return 'it is not valid yet; is the clock right?';
  const isOld =
    current &&
    current.serialNumber === issued.serialNumber &&
    sameName(current.issuer, issued.issuer);
  return isOld ? 'it has the serial number of the certificate in service' : undefined;
}

function nameFault(issued: Certificate, { subject, names }: Wanted): string | undefined {
  const asked = subject.map((attribute) => [attribute]);
  if (asked.length > 0 && !sameName(issued.subject, asked))
    return `its subject is ${formatName(issued.subject)} instead of ${formatName(asked)}`;
  const missing = names.find((name) => !issued.alternativeNames.some((one) => isSame(one, name)));
  if (!missing) return undefined;
  const found = issued.alternativeNames.map(({ kind, value }) => `${kind}:${value}`).join(', ');
  return `it lacks the name ${missing.kind}:${missing.value}; it has ${found || 'none'}`;
}

function isSame(one: GeneralName, other: GeneralName): boolean {
  return one.kind === other.kind && one.value.toLowerCase() === other.value.toLowerCase();
}

const purposesOf: Readonly<Record<Use, readonly (keyof typeof keyPurposes)[]>> = {
  'tls-server': ['ServerAuthentication'],
  'tls-client': ['ClientAuthentication'],
  both: ['ServerAuthentication', 'ClientAuthentication'],
};

/** An extension that is absent restricts nothing. */
function usageFault({ usages: { bits, purposes } }: Certificate, use: Use): string | undefined {
  if (bits && !bits.includes('DigitalSignature')) return 'its keyUsage has no digitalSignature';
  const missing = purposesOf[use].find((name) => purposes?.includes(keyPurposes[name]) === false);
  return missing && `its extendedKeyUsage has no ${missing}, which the use ${use} needs`;
}

function pathOf(
  issued: Certificate,
  helpers: readonly Buffer[],
  { anchors, now, content }: Wanted,
): readonly Certificate[] | string {
  return findPath(issued, { anchors, helpers: readCandidates(helpers, content), now });
}

function pathFault(
  issued: Certificate,
  helpers: readonly Buffer[],
  wanted: Wanted,
): string | undefined {
  const path = pathOf(issued, helpers, wanted);
  return typeof path === 'string' ? `it is not trusted: ${path}` : undefined;
}
