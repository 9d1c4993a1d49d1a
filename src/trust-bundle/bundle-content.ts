import { createHash } from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import { inSlices } from '../core/in-slices.ts';
import { type Certificate, readCertificate, subjectText } from '../x509/certificate.ts';
import { openAnyContent } from '../x509/containers.ts';
import { usualLimits } from '../x509/limits.ts';
import { isCertificateBlock, type PemBlock, parsePem } from '../x509/pem.ts';
import { BundleFault } from './bundle-fault.ts';

/** The CAs of a target. */
export interface BundleContent {
  /** Each once, in the order of the target. */
  readonly certificates: readonly Certificate[];
  readonly duplicates: number;
}

/**
 * Reads the target: CAs in PEM and nothing else, of which not one may be bad. Line ends of DOS, a byte order mark, and
 * text between blocks (RFC 7468 §5.2) mean nothing.
 * @throws BundleFault `bundle-malformed`
 */
export async function readBundleContent(
  bytes: Buffer,
  maxCertificates: number,
): Promise<BundleContent> {
  const text = textOf(bytes);
  let blocks: ReturnType<typeof parsePem>;
  try {
    blocks = parsePem(text, { ...usualLimits, blocks: 2 * maxCertificates });
  } catch (cause) {
    if (!(cause instanceof CertError)) throw cause;
    throw malformed(cause.message, cause);
  }
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE');
  if (other) throw malformed(`it holds a block ${other.label}`);
  const found = new Map<string, Certificate>();
  await inSlices(blocks.entries(), ([at, { der }]) => {
    const certificate = readCa(der, at + 1);
    found.set(certificate.fingerprint, certificate);
  });
  if (found.size > maxCertificates)
    throw malformed(`it holds ${found.size} CAs and the limit is ${maxCertificates}`);
  return { certificates: [...found.values()], duplicates: blocks.length - found.size };
}

/**
 * The CAs of a file that an operator handed over: PEM or PKCS #7.
 * @throws BundleFault `bundle-malformed`
 */
export async function readHandedOver(
  bytes: Buffer,
  maxCertificates: number,
): Promise<readonly Certificate[]> {
  let blocks: readonly PemBlock[];
  try {
    blocks = openAnyContent(bytes, '');
  } catch (cause) {
    if (!(cause instanceof CertError)) throw cause;
    throw malformed(cause.message, cause, 'file');
  }
  const other = blocks.find((block) => !isCertificateBlock(block));
  if (other) throw malformed(`it holds a block ${other.label}`, undefined, 'file');
  if (blocks.length === 0 || blocks.length > maxCertificates)
    throw malformed(`it holds ${blocks.length} CAs`, undefined, 'file');
  const certificates: Certificate[] = [];
  await inSlices(blocks.entries(), ([at, { der }]) => {
    certificates.push(readCa(der, at + 1, 'file'));
  });
  return certificates;
}

/** Hexadecimal SHA-256 of bytes. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** How fingerprints are written in manifests and in the state of a bundle. */
export function sha256OfCa({ fingerprint }: Pick<Certificate, 'fingerprint'>): string {
  return fingerprint.toLowerCase();
}

function textOf(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw malformed('it is no text in UTF-8', cause);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x08\x0e-\x1f\x7f]/.test(text)) throw malformed('it holds control characters');
  // A line that was to begin or end a block and does not would take a CA away without a word
  const dashes = text
    .split(/[\r\n]+/)
    .find((line) => /^\s*-----/.test(line) && !boundary.test(line));
  if (dashes !== undefined) throw malformed('a line neither begins nor ends a block');
  return text;
}

const boundary = /^\s*-----(BEGIN|END) [A-Z0-9][A-Z0-9 ]*-----\s*$/;

function readCa(der: Buffer, place: number, what: 'target' | 'file' = 'target'): Certificate {
  let certificate: Certificate;
  try {
    certificate = readCertificate(der);
  } catch (cause) {
    if (!(cause instanceof CertError)) throw cause;
    throw malformed(`certificate ${place} is ${cause.message}`, cause, what);
  }
  const maySign = certificate.usages.bits?.includes('KeyCertSign') ?? true;
  if (!certificate.isCa || !maySign)
    throw malformed(`certificate ${place}, ${subjectText(certificate)}, is no CA`, undefined, what);
  return certificate;
}

function malformed(reason: string, cause?: unknown, what = 'target'): BundleFault {
  return new BundleFault('bundle-malformed', `the ${what} is refused: ${reason}`, { cause });
}
