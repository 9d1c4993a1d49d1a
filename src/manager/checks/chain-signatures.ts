import {
  type Certificate,
  isSelfIssued,
  namesItself,
  signatureFits,
} from '../../x509/certificate.ts';
import { nameKey } from '../../x509/name.ts';

/**
 * A signature costs milliseconds, and a caller who gives all certificates of a file one name would have each of
 * them tried with the key of each other. A file whose issuers are found by their key identifiers, or that are
 * their own, needs one for each certificate. In a chain of the usual length all can be tried.
 */
export const maxVerifications = (certificates: number) => 2 * certificates + 100;

export const tooManyNamesakes =
  'too many of its certificates have one name to find who signed which';

/**
 * What is wrong with the signatures of a bundle, `undefined` when nothing is: the issuer of a certificate is in
 * it by its name, but no key of that name signed it. A new CA that the old key of the same name signed says so
 * by its key identifiers; that key need not be there.
 */
export function signatureFault(bundle: readonly Certificate[]): string | undefined {
  const issuersOf = issuerSearch(bundle);
  let left = maxVerifications(bundle.length);
  for (const certificate of bundle) {
    if (isRollover(certificate)) continue;
    let tried = 0;
    let isSigned = false;
    for (const issuer of issuersOf(certificate)) {
      if (left === 0) return tooManyNamesakes;
      left -= 1;
      tried += 1;
      isSigned = signatureFits(certificate, issuer);
      if (isSigned) break;
    }
    if (tried > 0 && !isSigned)
      return 'the signature of a certificate does not fit the issuer in the same file';
  }
  return undefined;
}

/** A new key of a CA that its old one signed (RFC 4210 §4.4). */
export function isRollover(certificate: Certificate): boolean {
  const { keyIdentifier, issuerKeyIdentifier } = certificate;
  const namesKeys = keyIdentifier !== undefined && issuerKeyIdentifier !== undefined;
  return namesKeys && keyIdentifier !== issuerKeyIdentifier && isSelfIssued(certificate);
}

/** @returns who has the name of the issuer of a certificate, the likeliest first and each of them once */
export function issuerSearch(
  bundle: readonly Certificate[],
): (certificate: Certificate) => Iterable<Certificate> {
  const byName = new Map<string, Certificate[]>();
  const byKey = new Map<string, Certificate[]>();
  const keyOf = (name: string, identifier: string | undefined) => `${identifier} ${name}`;
  for (const one of bundle) {
    const name = nameKey(one.subject);
    add(byName, name, one);
    if (one.keyIdentifier !== undefined) add(byKey, keyOf(name, one.keyIdentifier), one);
  }
  return function* (certificate) {
    const name = nameKey(certificate.issuer);
    const named = byKey.get(keyOf(name, certificate.issuerKeyIdentifier)) ?? [];
    yield* named;
    if (namesItself(certificate) && !named.includes(certificate)) yield certificate;
    for (const one of byName.get(name) ?? [])
      if (!named.includes(one) && one !== certificate) yield one;
  };
}

function add(map: Map<string, Certificate[]>, key: string, certificate: Certificate): void {
  const others = map.get(key);
  if (others) others.push(certificate);
  else map.set(key, [certificate]);
}
