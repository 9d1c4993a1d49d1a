import { infoOf, newKey, quickCertificate } from '../fakes/quick-certificate.ts';

/** A CA that is made in a millisecond, where a thousand processes of openssl would take a minute. */
export interface QuickAuthority {
  readonly name: string;
  readonly pem: string;
  /** @returns the PEM of a leaf that it issues */
  issue(commonName: string): string;
}

export function quickAuthority(name: string): QuickAuthority {
  const issuerKey = newKey();
  const by = { issuer: name, issuerKey };
  return {
    name,
    pem: quickCertificate({ subject: name, info: infoOf(issuerKey), ...by, isCa: true }),
    issue: (subject) => quickCertificate({ subject, info: infoOf(newKey()), ...by, isCa: false }),
  };
}

export function quickAuthorities(count: number): QuickAuthority[] {
  return Array.from({ length: count }, (_, at) => quickAuthority(`Quick CA ${at + 1}`));
}
