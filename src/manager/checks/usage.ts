import type { Certificate } from '../../x509/certificate.ts';
import { keyPurposes } from '../../x509/oids.ts';

/** OID of anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const anyPurpose = '2.5.29.37.0';

/**
 * Why TLS clients refuse a server certificate by its usage extensions. What is absent restricts nothing.
 * @param hasRsaKeyExchange whether the service speaks suites in which an RSA key decrypts and signs nothing
 */
export function serverUsageFault(
  certificate: Certificate,
  hasRsaKeyExchange: boolean,
): string | undefined {
  const { bits } = certificate.usages;
  const isRsa = certificate.publicKey.asymmetricKeyType === 'rsa';
  if (bits?.length === 0) return 'its keyUsage allows nothing';
  if (bits && !bits.includes('DigitalSignature')) {
    if (!isRsa) return 'its keyUsage has no digitalSignature, and its key can do nothing else';
    if (!hasRsaKeyExchange)
      return 'its keyUsage has no digitalSignature, and the service has no other use for its key';
    if (!bits.includes('KeyEncipherment'))
      return 'its keyUsage has neither digitalSignature nor keyEncipherment';
  }
  if (allows(certificate, keyPurposes.ServerAuthentication)) return undefined;
  return 'its extendedKeyUsage has neither serverAuth nor anyExtendedKeyUsage';
}

/** Why TLS servers may refuse a client certificate by its usage extensions. */
export function clientUsageFault(certificate: Certificate): string | undefined {
  const { bits } = certificate.usages;
  if (bits && !bits.includes('DigitalSignature'))
    return 'TLS servers refuse it: its keyUsage has no digitalSignature';
  if (names(certificate, keyPurposes.ClientAuthentication)) return undefined;
  return 'TLS servers refuse it: its extendedKeyUsage has no clientAuth';
}

function allows(certificate: Certificate, purpose: string): boolean {
  return names(certificate, purpose) || names(certificate, anyPurpose);
}

/** OpenSSL takes anyExtendedKeyUsage for no purpose of TLS. */
export function names({ usages: { purposes } }: Certificate, purpose: string): boolean {
  return purposes === undefined || purposes.includes(purpose);
}
