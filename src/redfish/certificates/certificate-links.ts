import type { CertificateClient, PublishedCertificate } from '../../manager/certificate-client.ts';
import { type Certificate, isSelfIssued } from '../../x509/certificate.ts';
import { nameKey } from '../../x509/name.ts';
import type { CertificateCollection } from './collections.ts';
import { memoizedIsIssuedBy } from './memoized-is-issued-by.ts';

/** The installed certificates that issued a certificate, or that it issued, by their URIs. */
export interface CertificateLinks {
  readonly issuer: string | undefined;
  readonly subjects: readonly string[];
}

interface Relative {
  readonly uri: string;
  readonly certificate: Certificate;
}

/**
 * Who issued whom among all installed certificates. Names find the candidates and signatures decide;
 * the table of names is made anew after a change.
 * @returns what answers for one certificate
 */
export function linkIssuers(
  client: CertificateClient,
  collections: () => readonly CertificateCollection[],
): (published: PublishedCertificate) => CertificateLinks {
  const isIssuedBy = memoizedIsIssuedBy();
  let table: Table | undefined;
  client.subscribe(() => {
    table = undefined;
  });
  return ({ certificate }) => {
    const available = collections().filter(
      ({ canonical, endpoint }) => canonical && client.isAvailable(endpoint),
    );
    if (table?.collections !== namesOf(available)) table = makeTable(client, available);
    const issuers = isSelfIssued(certificate)
      ? []
      : (table.bySubject.get(nameKey(certificate.issuer)) ?? []);
    const subjects = certificate.isCa
      ? (table.byIssuer.get(nameKey(certificate.subject)) ?? [])
      : [];
    return {
      issuer: issuers.find((one) => isIssuedBy(certificate, one.certificate))?.uri,
      subjects: subjects
        .filter((one) => one.certificate.fingerprint !== certificate.fingerprint)
        .filter((one) => isIssuedBy(one.certificate, certificate))
        .map(({ uri }) => uri),
    };
  };
}

interface Table {
  /** Which endpoints answered: one that comes or goes makes it stale. */
  readonly collections: string;
  readonly bySubject: ReadonlyMap<string, readonly Relative[]>;
  readonly byIssuer: ReadonlyMap<string, readonly Relative[]>;
}

function makeTable(
  client: CertificateClient,
  collections: readonly CertificateCollection[],
): Table {
  const all = collections.flatMap(({ endpoint, uri }) =>
    client
      .list(endpoint)
      .map(({ id, certificate }): Relative => ({ uri: `${uri}/${id}`, certificate })),
  );
  return {
    collections: namesOf(collections),
    bySubject: groupBy(all, ({ certificate }) => nameKey(certificate.subject)),
    byIssuer: groupBy(all, ({ certificate }) => nameKey(certificate.issuer)),
  };
}

function namesOf(collections: readonly CertificateCollection[]): string {
  return collections.map(({ uri }) => uri).join(' ');
}

function groupBy(all: readonly Relative[], key: (one: Relative) => string) {
  const groups = new Map<string, Relative[]>();
  for (const one of all) {
    const group = groups.get(key(one));
    if (group) group.push(one);
    else groups.set(key(one), [one]);
  }
  return groups;
}
