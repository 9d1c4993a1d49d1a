import { inSlices } from '../../core/in-slices.ts';
import { type Certificate, isSelfIssued } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { nameKey } from '../../x509/name.ts';
import { missingElement } from '../rpc/rpc-error.ts';
import { readCertData } from './certificate-data.ts';
import { type DataNode, leafOf, nodesAt } from './data-node.ts';
import { errorPath } from './data-path.ts';
import { certificatePlace, errorAt, type Place, places, readingAt } from './place.ts';
import type { Holder, NamedCertificates } from './running.ts';
import { publicKeyOfCertificates, spkiFormat } from './running-tree.ts';

/** What a key or a bag is to be by an edit. */
export interface Wanted {
  readonly description: string | undefined;
  /** Base64; absent where a client says nothing of it. */
  readonly publicKey: string | undefined;
  readonly certificates: readonly NamedCertificates[];
}

/**
 * Reads what an edit makes of a key or bag.
 * @param held what it is, and `was` that as a node: what of it stays need not be read again
 * @throws RpcError
 */
export async function readWanted(
  place: Place,
  held: Holder | undefined,
  was: DataNode | undefined,
  next: DataNode,
  limits: ContentLimits,
): Promise<Wanted> {
  const nodesOf = (node: DataNode | undefined) =>
    node ? nodesAt(node.children, ...places[place.list].certificates) : [];
  const heldByName = new Map(held?.certificates.map((one) => [one.name, one.certificates]));
  const known = new Map<string | undefined, readonly Certificate[]>(
    nodesOf(was).map((one) => [
      leafOf(one, 'cert-data'),
      heldByName.get(leafOf(one, 'name') ?? '') ?? [],
    ]),
  );
  const certificates: NamedCertificates[] = [];
  await inSlices(nodesOf(next), (node) => {
    const name = leafOf(node, 'name') ?? '';
    const data = leafOf(node, 'cert-data');
    const at = certificatePlace(place, name);
    if (data === undefined)
      throw missingElement('cert-data', { type: 'application', path: errorPath(at.path) });
    const held = known.get(data);
    const read = held ?? readingAt(at, () => readCertData(data, limits));
    if (place.list === 'keys' && !held) refuseSpurious(at, read);
    certificates.push({ name, certificates: read });
  });
  if (place.list === 'bags') refuseTwins(place, certificates);
  if ((leafOf(next, 'public-key-format') ?? spkiFormat) !== spkiFormat)
    throw errorAt(place, 'invalid-value', 'the format of a public key is subject-public-key-info');
  return {
    description: leafOf(next, 'description'),
    publicKey: leafOf(next, 'public-key'),
    certificates,
  };
}

/** A certificate with its issuers, and nothing else (RFC 9640, `end-entity-cert-cms`). The manager would leave the rest out. */
function refuseSpurious(place: Place, certificates: readonly Certificate[]): void {
  const subjects = new Map(certificates.map((one) => [one.fingerprint, nameKey(one.subject)]));
  const issuers = new Set(
    certificates.filter((one) => !isSelfIssued(one)).map((one) => nameKey(one.issuer)),
  );
  const ends = [...subjects].filter(([, subject]) => !issuers.has(subject));
  if (ends.length === 1) return;
  const message = `cert-data of a key has one certificate and its issuers: ${ends.length} of its certificates are issuers of no other`;
  throw errorAt(place, 'invalid-value', message);
}

/** The members of a bag are known by their certificates. */
function refuseTwins(place: Place, certificates: readonly NamedCertificates[]): void {
  const seen = new Map<string, string>();
  for (const { name, certificates: members } of certificates)
    for (const { fingerprint } of members) {
      const other = seen.get(fingerprint);
      if (other !== undefined)
        throw errorAt(
          certificatePlace(place, name),
          'invalid-value',
          `the same certificate is there as ${JSON.stringify(other)}`,
        );
      seen.set(fingerprint, name);
    }
}

/** Whether an edit says again what is there. */
export function isUnchanged(
  held: Holder,
  { description, publicKey, certificates }: Wanted,
): boolean {
  const [first] = held.certificates;
  const isSameKey =
    publicKey === undefined || (first && publicKeyOfCertificates(first)) === publicKey;
  const isSameSet = summaryOf(certificates) === summaryOf(held.certificates);
  return description === held.description && isSameKey && isSameSet;
}

function summaryOf(certificates: readonly NamedCertificates[]): string {
  const lines = certificates.map(({ name, certificates: members }) =>
    JSON.stringify([name, fingerprintsOf(members)]),
  );
  return lines.sort().join('\n');
}

export function isSameSet(one: readonly Certificate[], other: readonly Certificate[]): boolean {
  return fingerprintsOf(one).join() === fingerprintsOf(other).join();
}

function fingerprintsOf(certificates: readonly Certificate[]): readonly string[] {
  return certificates.map(({ fingerprint }) => fingerprint).sort();
}
