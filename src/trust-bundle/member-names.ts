import type { Certificate } from '../x509/certificate.ts';
import { sha256OfCa } from './bundle-content.ts';

/** A CA and the name that it is listed by. */
export interface NamedCa {
  readonly sha256: string;
  readonly name: string;
}

const maxLength = 48;

/**
 * Names CAs by their subjects. A CA that had a name keeps it; of two that would have the same, the later one has a part of
 * its fingerprint behind.
 * @param known names that were given before, also to CAs that are absent now
 */
export function nameCas(
  certificates: readonly Certificate[],
  known: readonly NamedCa[],
): readonly NamedCa[] {
  const names = new Map(known.map(({ sha256, name }) => [sha256, name]));
  const taken = new Set(names.values());
  return certificates.map((certificate) => {
    const sha256 = sha256OfCa(certificate);
    const plain = plainName(certificate);
    const free = taken.has(plain) ? `${plain}-${sha256.slice(0, 8)}` : plain;
    const name = names.get(sha256) ?? free;
    taken.add(name);
    return { sha256, name };
  });
}

function plainName({ subject }: Pick<Certificate, 'subject'>): string {
  const attributes = ['CN', 'OU', 'O'].flatMap(
    (wanted) => subject.flat().findLast(({ type }) => type === wanted)?.value ?? [],
  );
  const words = (attributes[0] ?? '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._]+/g, '-')
    .slice(0, maxLength)
    .replace(/^[-.]+|[-.]+$/g, '');
  return words === '' ? 'ca' : words;
}
