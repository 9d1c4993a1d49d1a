import { hash } from 'node:crypto';
import { CertError } from '../../core/cert-error.ts';
import { Asn1Error } from '../asn1/element.ts';
import { objectIdentifier, octetString } from '../asn1/primitives.ts';
import { readAs } from '../asn1/structure.ts';
import { type Certificate, readCertificate, subjectText } from '../certificate.ts';
import { findPath } from '../certificate-path.ts';
import { weakness } from '../key-strength.ts';
import { CmsFault } from './cms-fault.ts';
import { issuerAndSerial } from './issuer-and-serial.ts';
import { type Digest, digestOf, signatureIsBy } from './signature-algorithm.ts';
import {
  attributes,
  attributeTypes,
  contentInfo,
  contentTypes,
  type SignedData,
  type SignerInfo,
} from './signed-data.ts';

export interface SignerRules {
  readonly roots: readonly Certificate[];
  /** Seconds since 1970. */
  readonly now: number;
  /** The signer must have one of these purposes (extendedKeyUsage), as dotted OIDs. */
  readonly purposes: readonly string[];
}

export interface VerifiedSigner {
  readonly certificate: Certificate;
  readonly root: Certificate;
}

/** Certificates above the signer, the root among them. */
const maxDepth = 3;
/** Those of a real message are the signer's and those of its issuers. */
const maxCertificates = 10;
const maxRsaBits = 8192;
/** OpenSSL's: RSA keys have 2048 bits at least. */
const securityLevel = 2;

/**
 * Verifies a detached signature (RFC 5652 §5.6) of exactly one signer with signed attributes, and the signer's certificate.
 * @param message SignedData in DER
 * @throws CmsFault
 */
export function verifyDetached(
  message: Uint8Array,
  content: Uint8Array,
  rules: SignerRules,
): VerifiedSigner {
  try {
    const { contentType, content: signed } = readAs(contentInfo, message);
    if (contentType !== contentTypes.signedData)
      throw new CmsFault('malformed', `the content type ${contentType} is no SignedData`);
    const [info, digest] = onlySigner(signed);
    const certificates = certificatesIn(signed);
    const certificate = certificates.find((one) => isNamedBy(info, one));
    if (!certificate)
      throw new CmsFault('malformed', 'the certificate of the signer is not in the signature');
    const root = checkPath(certificate, certificates, rules);
    checkSignature(info, digest, certificate, content);
    checkUsage(certificate, rules);
    return { certificate, root };
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error;
    throw new CmsFault('malformed', `it is no SignedData in DER: ${error.message}`);
  }
}

function onlySigner({
  version,
  digestAlgorithms,
  encapContentInfo,
  signerInfos,
}: SignedData): readonly [SignerInfo, Digest] {
  if (version !== 1 && version !== 3)
    throw new CmsFault('malformed', `the version ${version} of SignedData is not taken`);
  if (encapContentInfo.eContentType !== contentTypes.data)
    throw new CmsFault('malformed', 'what is signed is not of the type data');
  if (encapContentInfo.eContent)
    throw new CmsFault('malformed', 'the signature is not detached: it holds a content of its own');
  const [info, ...others] = signerInfos;
  if (!info || others.length > 0)
    throw new CmsFault('malformed', `there are ${signerInfos.length} signers instead of one`);
  // RFC 5652 §5.3
  const expected = info.sid.kind === 'issuerAndSerialNumber' ? 1 : 3;
  if (info.version !== expected)
    throw new CmsFault('malformed', `the version ${info.version} of SignerInfo does not fit`);
  const digest = digestOf(info.digestAlgorithm);
  if (!digestAlgorithms.some(({ algorithm }) => algorithm === info.digestAlgorithm.algorithm))
    throw new CmsFault('malformed', 'the digest of the signer is not among those announced');
  return [info, digest];
}

function certificatesIn({ certificates = [] }: SignedData): readonly Certificate[] {
  if (certificates.length > maxCertificates)
    throw new CmsFault('malformed', `it holds more than ${maxCertificates} certificates`);
  return certificates.map((der) => {
    try {
      return readCertificate(der);
    } catch (cause) {
      if (!(cause instanceof CertError)) throw cause;
      throw new CmsFault('malformed', `a certificate in it is ${cause.message}`, { cause });
    }
  });
}

function isNamedBy({ sid }: SignerInfo, certificate: Certificate): boolean {
  if (sid.kind === 'subjectKeyIdentifier')
    return sid.value.toString('hex') === certificate.keyIdentifier;
  const { issuer, serialNumber } = issuerAndSerial(certificate);
  return issuer.equals(sid.value.issuer) && serialNumber.equals(sid.value.serialNumber);
}

/** @returns the root */
function checkPath(
  signer: Certificate,
  helpers: readonly Certificate[],
  { roots, now }: SignerRules,
): Certificate {
  const path = findPath(signer, { anchors: roots, helpers, now });
  const refuse = (reason: string) =>
    new CmsFault('untrusted', `the signer ${subjectText(signer)} is not trusted: ${reason}`);
  if (typeof path === 'string') throw refuse(path);
  if (path.length > maxDepth + 1)
    throw refuse(`there are more than ${maxDepth} certificates above it`);
  const weak = path
    .map(({ publicKey }) => weakness(publicKey, maxRsaBits, securityLevel))
    .find((fault) => fault !== undefined);
  if (weak !== undefined) throw refuse(weak);
  return path.at(-1) ?? signer;
}

function checkSignature(
  { signedAttrs, signatureAlgorithm, signature }: SignerInfo,
  digest: Digest,
  { publicKey }: Certificate,
  content: Uint8Array,
): void {
  if (!signedAttrs) throw new CmsFault('malformed', 'the signer has no signed attributes');
  const list = readAs(attributes, signedAttrs);
  const types = list.map(({ type }) => type);
  if (new Set(types).size !== types.length)
    throw new CmsFault('malformed', 'a signed attribute is there twice');
  const onlyValueOf = (name: 'contentType' | 'messageDigest') => {
    const values = list.find(({ type }) => type === attributeTypes[name])?.values ?? [];
    const [value] = values;
    if (!value || values.length > 1)
      throw new CmsFault('malformed', `the signed attribute ${name} has not one value`);
    return value;
  };
  if (readAs(objectIdentifier, onlyValueOf('contentType')) !== contentTypes.data)
    throw new CmsFault('malformed', 'the signed content type is not data');
  const signed = readAs(octetString, onlyValueOf('messageDigest'));
  if (!signed.equals(hash(digest, content, 'buffer')))
    throw new CmsFault('invalid', 'it is the signature of another content');
  if (!signatureIsBy(signatureAlgorithm, digest, publicKey, signedAttrs, signature))
    throw new CmsFault('invalid', 'the signature was not made with the key of the signer');
}

function checkUsage(signer: Certificate, { now, purposes }: SignerRules): void {
  const refuse = (reason: string) =>
    new CmsFault('unfit', `the certificate of the signer ${subjectText(signer)} ${reason}`);
  if (now < signer.notBefore) throw refuse('is not valid yet');
  if (now > signer.notAfter) throw refuse('has expired');
  if (signer.isCa) throw refuse('is a CA, and no end entity');
  if (signer.unknownCritical.length > 0)
    throw refuse(`has the unknown critical extension ${signer.unknownCritical[0]}`);
  if (!signer.usages.bits?.includes('DigitalSignature'))
    throw refuse('lacks digitalSignature in its keyUsage');
  if (!signer.usages.purposes?.some((purpose) => purposes.includes(purpose)))
    throw refuse(`has none of the purposes ${purposes.join(', ')} in its extendedKeyUsage`);
}
