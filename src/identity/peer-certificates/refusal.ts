/** Why a client is not logged in by its certificate; what the client is told. */
export const refusals = {
  expired: 'a certificate of the chain has expired by the clock of the service',
  early: 'a certificate of the chain is not valid yet by the clock of the service',
  authority: 'no authority in the truststore stands behind it',
  signature: 'a signature in the chain is wrong',
  purpose: 'it or a CA certificate of its chain is not made for authenticating TLS clients',
  weak: 'a key or digest in the chain is too weak',
  long: 'the chain is too long',
  revoked: 'a certificate of the chain is revoked',
  unreadable: 'a certificate of the chain cannot be read',
  rejected: 'the TLS library rejects it',
  resumed: 'a resumed TLS session proves no certificate',
  suspended:
    'its address is not asked for certificates for a while, after handshakes that sent too much without a valid one or kept others waiting',
  away: 'the list of trusted or revoked certificates cannot be read now',
  name: 'it holds no name of a user where the service looks for one',
  unlisted: 'it is the certificate of no account',
  user: 'it names no user of the service who may log in',
} as const;

export type Refusal = keyof typeof refusals;

/** What OpenSSL's verification says, by Node's names of its codes. */
const byCode: Readonly<Record<string, Refusal>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'early',
  UNABLE_TO_GET_ISSUER_CERT: 'authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'authority',
  CERT_UNTRUSTED: 'authority',
  CERT_SIGNATURE_FAILURE: 'signature',
  INVALID_PURPOSE: 'purpose',
  CERT_REJECTED: 'purpose',
  INVALID_CA: 'purpose',
  PATH_LENGTH_EXCEEDED: 'long',
  CERT_CHAIN_TOO_LONG: 'long',
};

export function refusalOf(code: string): Refusal {
  return byCode[code] ?? 'rejected';
}
