import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { InvalidMember } from '../../platform/invalid-member.ts';
import { isUserName, type MapType } from './map-types.ts';
import {
  formatTlsFingerprint,
  parseTlsFingerprint,
  type TlsFingerprint,
} from './tls-fingerprint.ts';

/** How the name of a user is found, and the name where it is given. */
export interface NameSource {
  readonly mapType: MapType;
  /** With `specified`, and only with it. */
  readonly name?: string | undefined;
}

/** Whose certificates are mapped, and how (RFC 7407 §2.6, cert-to-name). */
export interface CertToName extends NameSource {
  readonly fingerprint: TlsFingerprint;
}

/** The list that says whose a certificate is. */
export interface ClientIdentities {
  /** In the order in which they are searched. */
  readonly certToName: readonly CertToName[];
  /** For certificates that no entry matches. */
  readonly defaultIdentity?: NameSource | undefined;
}

export interface WrittenSource {
  readonly mapType: MapType;
  readonly name?: string;
}

/** The same as it is written, with fingerprints as `x509c2n:tls-fingerprint`. */
export interface WrittenIdentities {
  readonly certToName: readonly (WrittenSource & { readonly fingerprint: string })[];
  readonly defaultIdentity?: WrittenSource | undefined;
}

export interface IdentityRules {
  /** Takes fingerprints with MD5. */
  readonly allowWeakFingerprints: boolean;
  readonly log?: Log | undefined;
}

/** @throws InvalidMember */
export function configuredClientIdentities(
  { clientIdentities }: Pick<Configuration, 'clientIdentities'>,
  log?: Log,
): ClientIdentities {
  const { allowWeakFingerprints } = clientIdentities;
  return readClientIdentities(clientIdentities, { allowWeakFingerprints, log });
}

/** @throws InvalidMember, as of the configuration */
export function readClientIdentities(
  { certToName: written, defaultIdentity }: WrittenIdentities,
  rules: IdentityRules,
): ClientIdentities {
  if (defaultIdentity) refuseBadName(defaultIdentity, '/clientIdentities/defaultIdentity');
  const seen = new Map<string, string>();
  const certToName = written.map((entry, at) => {
    const path = `/clientIdentities/certToName/${at}`;
    refuseBadName(entry, path);
    const fingerprint = parseTlsFingerprint(entry.fingerprint);
    if (typeof fingerprint === 'string')
      throw new InvalidMember(`${path}/fingerprint`, fingerprint);
    refuseWeak(fingerprint, `${path}/fingerprint`, rules);
    const key = `${formatTlsFingerprint(fingerprint)} ${entry.mapType}`;
    const other = seen.get(key);
    if (other !== undefined)
      throw new InvalidMember(
        path,
        `would never count behind ${other}, which has its fingerprint and map type`,
      );
    seen.set(key, path);
    return { ...entry, fingerprint };
  });
  return { certToName, defaultIdentity };
}

/** What is read is written again in one form, whatever the letters were. */
export function writtenIdentities({
  certToName,
  defaultIdentity,
}: ClientIdentities): WrittenIdentities {
  return {
    certToName: certToName.map(({ fingerprint, ...source }) => ({
      fingerprint: formatTlsFingerprint(fingerprint),
      ...written(source),
    })),
    ...(defaultIdentity && { defaultIdentity: written(defaultIdentity) }),
  };
}

function written({ mapType, name }: NameSource): WrittenSource {
  return { mapType, ...(name !== undefined && { name }) };
}

function refuseBadName({ mapType, name }: NameSource, path: string): void {
  if (mapType === 'specified' && name === undefined)
    throw new InvalidMember(`${path}/name`, 'is required where the map type is specified');
  if (mapType !== 'specified' && name !== undefined)
    throw new InvalidMember(`${path}/name`, 'is only for the map type specified');
  if (name !== undefined && !isUserName(name))
    throw new InvalidMember(`${path}/name`, 'is the name of no user');
}

/** Who can choose both can make two certificates with the same MD5, and with some more effort with the same SHA-1. */
function refuseWeak(
  { hash }: TlsFingerprint,
  path: string,
  { allowWeakFingerprints, log }: IdentityRules,
): void {
  if (hash === 'md5' && !allowWeakFingerprints)
    throw new InvalidMember(path, 'is of MD5, which needs /clientIdentities/allowWeakFingerprints');
  if (hash === 'md5' || hash === 'sha1')
    log?.warn('the fingerprint of a client identity has a weak hash', { member: path, hash });
}
