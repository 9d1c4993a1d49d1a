import { type KeyObject, X509Certificate } from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import { formOf, isCutOff } from './content-form.ts';
import {
  type Asn1,
  bytesOf,
  childrenOf,
  contextTag,
  DerError,
  DerSizeError,
  decode,
  oidOf,
  tags,
  universalTag,
} from './der.ts';
import {
  type Extension,
  find,
  readExtensions,
  readUsages,
  type Usages,
  usageNames,
} from './extensions.ts';
import { type GeneralName, readGeneralNames, readPrincipalNames } from './general-names.ts';
import { keyIdentifiersOf } from './key-identifiers.ts';
import { hasLargeExponent, publicKeyInfo } from './keys.ts';
import { type ContentLimits, usualLimits } from './limits.ts';
import { formatName, type Name, readName, readString, sameName, subjectHash } from './name.ts';
import { kindOf } from './no-certificate.ts';
import { extensionIds, type KeyUsage, signatureAlgorithms } from './oids.ts';
import { formatPem } from './pem.ts';
import { rfc5280ViolationsOf } from './rfc5280-violations.ts';
import { signatureBits } from './signature-bits.ts';
import { readTime } from './validity-time.ts';

/** Everything the manager and its edges say about a certificate. */
export interface Certificate {
  readonly der: Buffer;
  /** 64 columns and a trailing newline, as upstream serves `CertificateString`. */
  readonly pem: string;
  readonly subject: Name;
  readonly issuer: Name;
  /** OpenSSL's directory hash of the subject, eight hexadecimal digits. */
  readonly subjectHash: string;
  /** Upper-case hexadecimal of its bytes, without the zero byte that only keeps it positive; a minus stands before a negative one. */
  readonly serialNumber: string;
  /** ASN.1 name, or the dotted OID of an algorithm that we have no name for. */
  readonly signatureAlgorithm: string;
  /** Security bits of the digest of the signature as OpenSSL counts them; `undefined` for an unknown digest. */
  readonly signatureBits: number | undefined;
  /** Seconds since 1970; may be negative. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly keyUsage: readonly KeyUsage[];
  /** What the usage extensions allow, absent ones told from empty ones. */
  readonly usages: Usages;
  readonly alternativeNames: readonly GeneralName[];
  /** User principal names, such as `admin@example.com`. */
  readonly principalNames: readonly string[];
  readonly isCa: boolean;
  /** The greatest number of intermediate CAs below it (RFC 5280 §4.2.1.9); `undefined` where there is no limit. */
  readonly pathLength: number | undefined;
  /** Whether it restricts names or Netscape types of the certificates below it, which only OpenSSL judges. */
  readonly restrictsNames: boolean;
  /** Hexadecimal; `undefined` where the extension is absent or cannot be read. */
  readonly keyIdentifier: string | undefined;
  /** What it calls the key that signed it. */
  readonly issuerKeyIdentifier: string | undefined;
  /** What is wrong with the form of its key identifiers, so that some TLS clients refuse it. */
  readonly keyIdentifierFault: string | undefined;
  /** OIDs of critical extensions that a TLS peer could not process. */
  readonly unknownCritical: readonly string[];
  /** What it breaks of RFC 5280, so that peers refuse it although OpenSSL reads it. */
  readonly rfc5280Violations: readonly string[];
  /** Text of the nsComment extension, with which generated certificates are marked. */
  readonly comment: string | undefined;
  /** Upper-case hexadecimal SHA-256 of the certificate, without separators. */
  readonly fingerprint: string;
  readonly publicKey: KeyObject;
  /** OpenSSL's view; the only thing that signatures are ever verified with. */
  readonly x509: X509Certificate;
}

/**
 * @throws CertError `certificate-malformed` when OpenSSL or our own reader refuses the bytes, or they are more
 *   than is read
 */
export function readCertificate(der: Uint8Array, limits = usualLimits): Certificate {
  refuseOversized(der, limits);
  const x509 = parseWithOpenssl(Buffer.from(der.buffer, der.byteOffset, der.length));
  try {
    return describe(x509, limits);
  } catch (error) {
    if (error instanceof DerSizeError) throw malformed(error.message, error);
    if (!(error instanceof DerError)) throw error;
    throw malformed('a field has the wrong structure', error);
  }
}

/** Before it goes any further, too. @throws CertError `certificate-malformed` for more bytes than are read */
export function refuseOversized(der: Uint8Array, { certificateBytes }: ContentLimits): void {
  if (der.length > certificateBytes) throw malformed(`it is larger than ${certificateBytes} bytes`);
}

/**
 * What a successor asks for again, as it stands in the certificate: subject, names and usages.
 * @param der of a certificate that `readCertificate` took, so there is no more of it than is read
 */
export function namesAndUsages(der: Uint8Array): {
  readonly subject: Asn1;
  readonly extensions: readonly Extension[];
} {
  const [tbs] = childrenOf(decode(der));
  const fields = childrenOf(tbs);
  const subject = fields[contextTag(fields[0]) === 0 ? 5 : 4];
  if (!subject) throw new DerError('the subject is missing');
  const wanted: readonly string[] = [
    extensionIds.subjectAltName,
    extensionIds.keyUsage,
    extensionIds.extendedKeyUsage,
  ];
  return {
    subject,
    extensions: extensionsOf(fields, Number.POSITIVE_INFINITY).filter(({ id }) =>
      wanted.includes(id),
    ),
  };
}

/** The subject for a line of text: not too long, and with nothing in it that begins a line or hides what follows. */
export function subjectText({ subject }: Pick<Certificate, 'subject'>): string {
  const text = [...formatName(subject)];
  const shown = text.length > maxSubject ? [...text.slice(0, maxSubject), '…'] : text;
  return shown
    .join('')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

const maxSubject = 200;

/** True when subject and issuer are one name, whether or not the signature fits. */
export function isSelfIssued(certificate: Certificate): boolean {
  return sameName(certificate.subject, certificate.issuer);
}

/**
 * Whether it says that its own key made its signature: OpenSSL takes none for its own issuer whose key is of another kind
 * than the signature.
 */
export function namesItself(certificate: Certificate): boolean {
  const { publicKey, signatureAlgorithm } = certificate;
  const kind = keyKinds.find(([pattern]) => pattern.test(signatureAlgorithm))?.[1];
  const isOfKind = kind === undefined || (publicKey.asymmetricKeyType ?? '').startsWith(kind);
  return isSelfIssued(certificate) && isOfKind;
}

/** Of the names of signature algorithms, and what Node calls the keys. */
const keyKinds: readonly (readonly [RegExp, string])[] = [
  [/RSA|^rsa/, 'rsa'],
  [/^ecdsa/, 'ec'],
  [/^dsa/, 'dsa'],
  [/^Ed25519$/, 'ed25519'],
  [/^Ed448$/, 'ed448'],
];

/** Whether its own key made its signature, whatever it may sign. */
export function isSelfSigned(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && signatureFits(certificate, certificate);
}

/** True when `issuer`'s name, key identifier and key usage fit and its key made the signature. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return certificate.x509.checkIssued(issuer.x509) && signatureFits(certificate, issuer);
}

export function signatureFits(certificate: Certificate, issuer: Certificate): boolean {
  try {
    // Ten such keys in one chain would hold up all other clients for a second
    if (hasLargeExponent(issuer.publicKey)) return false;
    return certificate.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function parseWithOpenssl(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw malformed(faultOf(der), error);
  }
}

function faultOf(der: Buffer): string {
  if (isCutOff(der)) return 'it is cut off';
  const form = formOf(der);
  return form === 'DER' || form === 'PEM' ? 'OpenSSL cannot read it' : `it is ${kindOf(form)}`;
}

function describe(x509: X509Certificate, limits: ContentLimits): Certificate {
  const [tbs, signature] = childrenOf(decode(x509.raw, maxElements(limits)));
  const fields = childrenOf(tbs);
  const [serial, , issuer, validity, subject] =
    contextTag(fields[0]) === 0 ? fields.slice(1) : fields;
  if (!subject) throw new DerError('the subject is missing');
  const [notBefore, notAfter] = childrenOf(validity);
  const extensions = extensionsOf(fields, limits.extensions);
  const alternatives = alternativeNamesOf(extensions, limits);
  const usages = readUsages(extensions);
  const algorithm = oidOf(childrenOf(signature)[0]);
  const name = signatureAlgorithms[algorithm] ?? algorithm;
  return {
    der: x509.raw,
    pem: formatPem('CERTIFICATE', x509.raw),
    subject: readName(subject, limits),
    issuer: readName(issuer, limits),
    subjectHash: subjectHash(subject),
    serialNumber: serialText(bytesOf(serial)),
    signatureAlgorithm: name,
    signatureBits: signatureBits(name, signature),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    keyUsage: usageNames(usages),
    usages,
    alternativeNames: alternatives ? readGeneralNames(alternatives) : [],
    principalNames: alternatives ? readPrincipalNames(alternatives) : [],
    // A root of version 1 has no extensions to say it with, and OpenSSL takes it for a CA
    isCa: x509.ca || (contextTag(fields[0]) !== 0 && x509.checkIssued(x509)),
    pathLength: pathLengthOf(extensions),
    restrictsNames: [extensionIds.nameConstraints, extensionIds.netscapeCertType].some(
      (id) => find(extensions, id) !== undefined,
    ),
    ...keyIdentifiersOf(extensions),
    unknownCritical: extensions
      .filter((e) => e.critical && !processed.includes(e.id))
      .map((e) => e.id),
    rfc5280Violations: rfc5280ViolationsOf(fields, extensions, signature),
    comment: commentOf(extensions),
    fingerprint: x509.fingerprint256.replaceAll(':', ''),
    publicKey: publicKeyOf(x509),
    x509,
  };
}

/** Each attribute of the two names is a set, a sequence, a type and a value; an extension is no more. */
function maxElements({ nameAttributes, extensions }: ContentLimits): number {
  return 8 * nameAttributes + 4 * extensions + 1000;
}

/** The critical extensions that OpenSSL's verification processes by itself. */
const processed: readonly string[] = [
  extensionIds.keyUsage,
  extensionIds.subjectAltName,
  extensionIds.basicConstraints,
  extensionIds.nameConstraints,
  extensionIds.certificatePolicies,
  extensionIds.policyMappings,
  extensionIds.policyConstraints,
  extensionIds.extendedKeyUsage,
  extensionIds.inhibitAnyPolicy,
  extensionIds.crlDistributionPoints,
  extensionIds.netscapeCertType,
];

function extensionsOf(fields: readonly Asn1[], max: number): Extension[] {
  const explicit = fields.find((field) => contextTag(field) === 3);
  return explicit ? readExtensions(childrenOf(explicit)[0], max) : [];
}

function alternativeNamesOf(
  extensions: readonly Extension[],
  { alternativeNames: max }: ContentLimits,
): Asn1 | undefined {
  const extension = find(extensions, extensionIds.subjectAltName);
  if (!extension) return undefined;
  // A user principal name has three elements inside of it
  const names = decode(extension.value, 4 * max + 1);
  if (childrenOf(names).length > max)
    throw new DerSizeError(`it has more than ${max} alternative names`);
  return names;
}

/** What is no string is none of our marks, and nobody else looks at it. */
function commentOf(extensions: readonly Extension[]): string | undefined {
  const extension = find(extensions, extensionIds.netscapeComment);
  try {
    return extension && readString(decode(extension.value, 1));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** RFC 5280 §4.1.2.2 has CAs use positive numbers, and peers be prepared for others. */
function serialText(bytes: Buffer): string {
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  if (!isNegative)
    return bytes
      .toString('hex')
      .replace(/^00(?=.)/, '')
      .toUpperCase();
  const size = (1n << BigInt(8 * bytes.length)) - BigInt(`0x${bytes.toString('hex')}`);
  const digits = size.toString(16).toUpperCase();
  return `-${digits.padStart(digits.length + (digits.length % 2), '0')}`;
}

function pathLengthOf(extensions: readonly Extension[]): number | undefined {
  const extension = find(extensions, extensionIds.basicConstraints);
  const fields = extension ? childrenOf(decode(extension.value)) : [];
  const length = fields.find((field) => universalTag(field) === tags.INTEGER);
  return length && Number.parseInt(bytesOf(length).toString('hex') || '0', 16);
}

function publicKeyOf(x509: X509Certificate): KeyObject {
  try {
    const { publicKey } = x509;
    // The point at infinity is handed out too, and Node ends the process when it is asked about its curve;
    // to write it OpenSSL must have all of it
    publicKeyInfo(publicKey);
    return publicKey;
  } catch (error) {
    throw malformed('its public key cannot be read', error);
  }
}

function malformed(detail: string, cause?: unknown): CertError {
  return new CertError('certificate-malformed', `not a readable X.509 certificate: ${detail}`, {
    cause,
  });
}
