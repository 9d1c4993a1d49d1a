import type { Certificate } from '../../x509/certificate.ts';
import { valuesOf } from '../../x509/name.ts';
import type { CertificateLogin } from '../accounts/access-settings.ts';

const longestName = 255;

/**
 * The user that a certificate names, as bmcweb finds him.
 * @param hostName name of the device; the domain of a user principal name must be one it belongs to
 */
export function userNameOf(
  certificate: Certificate,
  mapping: Exclude<CertificateLogin['mapping'], 'Whole'>,
  hostName: string,
): string | undefined {
  const name =
    mapping === 'CommonName'
      ? valuesOf(certificate.subject, 'CN')[0]
      : principalOf(certificate, hostName);
  // No user has such a name, and it must not become a part of something else
  if (name === undefined || name === '' || /\p{Cc}/u.test(name)) return undefined;
  return Buffer.byteLength(name) <= longestName ? name : undefined;
}

function principalOf({ principalNames }: Certificate, hostName: string): string | undefined {
  const [principal = ''] = principalNames;
  const at = principal.indexOf('@');
  if (at < 0 || !isSuffix(principal.slice(at + 1), hostName)) return undefined;
  return principal.slice(0, at);
}

/** Whole labels are compared, so that `ample.com` is no domain of `bmc.example.com`. */
function isSuffix(domain: string, hostName: string): boolean {
  const labels = labelsOf(domain);
  const own = labelsOf(hostName);
  if (labels.length > own.length || labels.includes('')) return false;
  return labels.every((label, at) => label === own[own.length - labels.length + at]);
}

function labelsOf(name: string): string[] {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).split('.');
}
