import type { Certificate } from '../../x509/certificate.ts';
import type { ClientIdentities } from './client-identities.ts';
import { type DerivedName, type MappingContext, type MapType, mapTypes } from './map-types.ts';
import type { Refusal } from './refusal.ts';
import { type TlsFingerprint, tlsFingerprintOf } from './tls-fingerprint.ts';

/** What came of one entry, or of the default identity. */
export interface ConsideredEntry {
  /** Its place in the list, from 0. */
  readonly entry: number | 'default';
  readonly mapType: MapType;
  /** Which certificate of the path has its fingerprint: 0 is the client's own, the last one the root. */
  readonly matches: number | 'any' | undefined;
  /** What the map type finds; `undefined` where nothing matches. */
  readonly derived: DerivedName | undefined;
}

/** The entry whose name counts, with everything that was considered before it. */
export interface Mapping {
  readonly considered: readonly ConsideredEntry[];
  readonly result: DerivedName | { readonly refusal: Refusal };
}

/**
 * Finds the name of a user for a certificate (RFC 7407, cert-to-name): the first entry that matches and gives a name.
 * The default counts only where no entry matches, so an entry without a name does not fall back to it.
 * @param path the validated chain, from the client's certificate to the root
 * @param all whether to consider the entries behind the one that counts as well
 */
export function mapToName(
  path: readonly Certificate[],
  { certToName, defaultIdentity }: ClientIdentities,
  context: MappingContext,
  all = false,
): Mapping {
  const [own] = path;
  if (!own) return { considered: [], result: { refusal: 'no-certificate' } };
  const considered: ConsideredEntry[] = [];
  const digests = digestsOf(path);
  for (const [entry, { fingerprint, mapType, name }] of certToName.entries()) {
    const at = digests(fingerprint.hash).indexOf(fingerprint.digest);
    const isMatch = at >= 0;
    const derived = isMatch ? mapTypes[mapType].nameOf(own, context, name) : undefined;
    considered.push({ entry, mapType, matches: isMatch ? at : undefined, derived });
    if (!all && derived && 'name' in derived) break;
  }
  const matched = considered.flatMap(({ derived }) => derived ?? []);
  if (matched.length === 0 && defaultIdentity) {
    const { mapType, name } = defaultIdentity;
    const derived = mapTypes[mapType].nameOf(own, context, name);
    considered.push({ entry: 'default', mapType, matches: 'any', derived });
    return { considered, result: derived };
  }
  const named = matched.find((one) => 'name' in one);
  return { considered, result: named ?? matched[0] ?? { refusal: 'no-client-identity' } };
}

/** The digests of the certificates of a path, of each hash once. */
function digestsOf(path: readonly Certificate[]) {
  const known = new Map<TlsFingerprint['hash'], readonly string[]>();
  return (hash: TlsFingerprint['hash']): readonly string[] => {
    const digests = known.get(hash) ?? path.map((one) => tlsFingerprintOf(one, hash).digest);
    known.set(hash, digests);
    return digests;
  };
}
