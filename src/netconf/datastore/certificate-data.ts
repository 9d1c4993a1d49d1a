import { CertError } from '../../core/cert-error.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { certsOnly } from '../../x509/certs-only.ts';
import { openContent } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';

/** What cert-data holds: CMS with certificates alone (RFC 9640 §2.1.4.1), or one bare certificate. */
export type CertDataFormat = 'cms' | 'x509';

/** The base64 of cert-data. Several certificates are CMS in either format. */
export function certDataOf(certificates: readonly Certificate[], format: CertDataFormat): string {
  const [only, ...others] = certificates;
  const isBare = format === 'x509' && only !== undefined && others.length === 0;
  const der = isBare ? only.der : certsOnly(certificates.map((one) => one.der));
  return der.toString('base64');
}

/**
 * The certificates of cert-data, in CMS or bare.
 * @throws CertError as `openContent` and `readCertificate`
 */
export function readCertData(base64: string, limits: ContentLimits): readonly Certificate[] {
  const bytes = Buffer.from(base64, 'base64');
  const format = isContentInfo(bytes) ? 'PKCS7' : 'DER';
  const blocks = openContent({ bytes, format, password: '' }, limits);
  const [first, ...others] = blocks.map(({ der }) => readCertificate(der, limits));
  if (first) return [first, ...others];
  throw new CertError('no-certificate', 'there is no certificate in cert-data');
}

/** Whether the first element inside is an OBJECT IDENTIFIER, as of a ContentInfo; that of a certificate is a SEQUENCE. */
function isContentInfo(der: Buffer): boolean {
  const first = der[1] ?? 0;
  return der[0] === 0x30 && der[first > 0x80 ? first - 0x80 + 2 : 2] === 0x06;
}
