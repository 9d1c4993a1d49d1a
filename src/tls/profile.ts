import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { ServingProfile } from '../x509/serving-profile.ts';

/** What a server speaks, in the words of the standards, so that it can be shown as it is set. */
export interface TlsProfile {
  readonly versions: readonly ('TLSv1.2' | 'TLSv1.3')[];
  /** Of TLS 1.3; `legacySuites` are those of 1.2. */
  readonly suites: readonly string[];
  readonly legacySuites: readonly { readonly openssl: string; readonly iana: string }[];
  readonly groups: readonly string[];
  /** TLS SignatureScheme names (RFC 8446 §4.2.3), which OpenSSL knows too. */
  readonly signatures: readonly string[];
}

const suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
] as const;

const groups = ['X25519', 'prime256v1', 'secp384r1'] as const;

const signatures = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'ed448',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
] as const;

/**
 * Mozilla's server-side TLS profiles. Of "intermediate" the suites with finite-field Diffie-Hellman are
 * left out: a client that speaks only those speaks no elliptic curves, and each such handshake costs a BMC
 * more than the client that asks for it.
 */
export const tlsProfiles = {
  modern: { versions: ['TLSv1.3'], suites, legacySuites: [], groups, signatures },
  intermediate: {
    versions: ['TLSv1.2', 'TLSv1.3'],
    suites,
    legacySuites: [
      legacy('ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDSA_WITH_AES_128_GCM_SHA256'),
      legacy('ECDHE-RSA-AES128-GCM-SHA256', 'RSA_WITH_AES_128_GCM_SHA256'),
      legacy('ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDSA_WITH_AES_256_GCM_SHA384'),
      legacy('ECDHE-RSA-AES256-GCM-SHA384', 'RSA_WITH_AES_256_GCM_SHA384'),
      legacy('ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDSA_WITH_CHACHA20_POLY1305_SHA256'),
      legacy('ECDHE-RSA-CHACHA20-POLY1305', 'RSA_WITH_CHACHA20_POLY1305_SHA256'),
    ],
    groups,
    // Servers of TLS 1.2 sign with PKCS #1 for clients that know no PSS
    signatures: [...signatures, 'rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512'],
  },
} as const satisfies Record<string, TlsProfile>;

export type TlsProfileName = keyof typeof tlsProfiles;

/** OpenSSL's security level: RSA below 2048 bits and SHA-1 are refused in what either side shows. */
const securityLevel = 2;

/** Of our own services. @param level a higher security level than theirs, which only their certificates have to meet */
export function servingProfile(
  name: TlsProfileName,
  level: number = securityLevel,
): ServingProfile {
  const profile: TlsProfile = tlsProfiles[name];
  return {
    securityLevel: Math.max(level, securityLevel),
    handshakeLevel: securityLevel,
    versions: profile.versions,
    ciphers: ciphersOf(profile),
    groups: profile.groups.join(':'),
    signatures: profile.signatures.join(':'),
    hasRsaKeyExchange: false,
  };
}

/** Of services that are not ours: what OpenSSL speaks unless it is told otherwise. */
export function usualServingProfile(level: number = securityLevel): ServingProfile {
  const { ciphers, signatures, ...rest } = servingProfile('intermediate');
  return {
    ...rest,
    securityLevel: level,
    handshakeLevel: level,
    ciphers: `${ciphers}:AES128-GCM-SHA256:AES256-GCM-SHA384`,
    groups: 'X25519:prime256v1:secp384r1:secp521r1',
    signatures: `${signatures}${level < 2 ? ':RSA+SHA1:ECDSA+SHA1' : ''}`,
    hasRsaKeyExchange: true,
  };
}

function ciphersOf({ suites, legacySuites }: TlsProfile): string {
  const legacy = legacySuites.map(({ openssl }) => openssl);
  // OpenSSL takes the level only along with a suite of TLS 1.2, which minVersion keeps from being used
  return [...suites, ...(legacy.length > 0 ? legacy : [placeholder])].join(':');
}

/** @param resumption whether clients may resume a session of this context */
export function profileOptions(name: TlsProfileName, resumption = true): SecureContextOptions {
  const profile: TlsProfile = tlsProfiles[name];
  const { versions, groups, signatures } = profile;
  return {
    minVersion: versions[0] ?? 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: `${ciphersOf(profile)}:@SECLEVEL=${securityLevel}`,
    // All suites are strong, so the client takes the one that its hardware does best, as Mozilla has it
    honorCipherOrder: false,
    ecdhCurve: groups.join(':'),
    sigalgs: signatures.join(':'),
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION |
      constants.SSL_OP_NO_COMPRESSION |
      (resumption ? 0 : constants.SSL_OP_NO_TICKET),
  };
}

const placeholder = 'ECDHE-ECDSA-AES128-GCM-SHA256';

function legacy(openssl: string, iana: string) {
  return { openssl, iana: `TLS_ECDHE_${iana}` };
}
