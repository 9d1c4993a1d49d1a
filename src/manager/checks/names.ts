import type { Certificate } from '../../x509/certificate.ts';
import { parseGeneralName } from '../../x509/general-names.ts';

/**
 * The names and addresses that a certificate is not for, as TLS clients match them (RFC 9525 §6): a wildcard stands for one
 * label, and the common name counts for nothing.
 */
export function missingNames(
  { alternativeNames, x509 }: Pick<Certificate, 'alternativeNames' | 'x509'>,
  wanted: readonly string[],
): readonly string[] {
  const isThere = (text: string) => {
    const name = parseGeneralName(text);
    if (!name) return false;
    if (name.kind === 'ip') return x509.checkIP(name.value) !== undefined;
    const value = name.value.toLowerCase();
    // A wildcard that is itself wanted is no host
    if (alternativeNames.some((one) => one.value.toLowerCase() === value)) return true;
    return x509.checkHost(value, { subject: 'never', partialWildcards: false }) !== undefined;
  };
  return wanted.filter((text) => !isThere(text));
}
