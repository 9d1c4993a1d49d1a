/** Why a client is not logged in by its certificate; what the client is told. */
export const refusals = {
  'no-certificate': 'the client showed no certificate',
  expired: 'a certificate of the chain has expired by the clock of the service',
  'not-yet-valid': 'a certificate of the chain is not valid yet by the clock of the service',
  'untrusted-issuer': 'no authority in the truststore stands behind it',
  'self-signed': 'it is signed with its own key and not by an authority',
  'incomplete-chain':
    'the client sent its certificate alone, and the service has no authority that issued it: the client must send the intermediate certificates, or its root is unknown',
  signature: 'a signature in the chain is wrong',
  purpose: 'it or a CA certificate of its chain is not made for authenticating TLS clients',
  'weak-key': 'a key or digest in the chain is too weak',
  'chain-too-long': 'the chain is too long',
  revoked: 'a certificate of the chain is revoked',
  unreadable: 'a certificate of the chain cannot be read',
  rejected: 'the TLS library rejects it',
  resumed: 'a resumed TLS session proves no certificate',
  suspended:
    'its address is not asked for certificates for a while, after handshakes that sent too much without a valid one or kept others waiting',
  'no-authorities': 'the service has no authority yet that clients are trusted by',
  'no-server-certificate':
    'the service has no certificate to show that an authority issued and that is valid now',
  unavailable: 'the list of trusted or revoked certificates cannot be read now',
  'no-user-name': 'it holds no name of a user where the service looks for one',
  'ambiguous-name': 'it holds more than one name where the service looks for that of a user',
  'not-a-user-name': 'no user can have the name that it holds where the service looks for one',
  'no-client-identity': 'no client identity of the configuration matches its chain',
  'not-listed': 'it is the certificate of no account',
  'accounts-unavailable': 'the users cannot be looked up now',
  'unknown-user': 'it names no user of the service who may log in',
} as const;

export type Refusal = keyof typeof refusals;

/** What OpenSSL's verification says, by Node's names of its codes. */
const byCode: Readonly<Record<string, Refusal>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted-issuer',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted-issuer',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted-issuer',
  CERT_UNTRUSTED: 'untrusted-issuer',
  CERT_SIGNATURE_FAILURE: 'signature',
  INVALID_PURPOSE: 'purpose',
  CERT_REJECTED: 'purpose',
  INVALID_CA: 'purpose',
  PATH_LENGTH_EXCEEDED: 'chain-too-long',
  CERT_CHAIN_TOO_LONG: 'chain-too-long',
};

export function refusalOf(code: string): Refusal {
  return byCode[code] ?? 'rejected';
}
