/**
 * What can go wrong in the manager, one code for each check or failure. The code is also the name
 * of the failing check in every message that leaves the manager; each edge maps it to its wire form.
 */
export const certErrors = {
  'file-unreadable': 'The file that a call names is absent, no regular file, or not readable.',
  'file-too-large': 'The file is larger than the configured limit.',
  'file-empty': 'The file is empty.',
  'pem-malformed': 'A PEM block has no end, a wrong end, or no base64 inside.',
  'no-certificate': 'There is no PEM certificate in the file.',
  'too-many-certificates':
    'There are more certificates, keys or PEM blocks in the file than it may have.',
  'container-malformed': 'The PKCS #7 or PKCS #12 container, or DER, cannot be read.',
  'password-wrong': 'The password does not open the key or the container.',
  'key-derivation-limit':
    'To open the key or the container takes more rounds of key derivation, keys, memory or time than the configuration allows.',
  'format-unknown': 'The format is none of PEM, DER, PKCS7 and PKCS12.',
  'certificate-malformed':
    'A certificate is no X.509 that OpenSSL and the manager can read, or breaks RFC 5280.',
  'chain-signature':
    'A signature does not fit the issuer that is in the same file, or to find the issuers there takes more than two verifications for each certificate, and 100.',
  'critical-extension':
    'A critical extension is unknown, so every peer would refuse the certificate.',
  'validity-start': 'The certificate begins before 1970, which the bus cannot express.',
  expired: 'The certificate has expired and the configuration does not allow that.',
  'key-strength':
    'A key is too weak for the security level of the service, or too large to be served.',
  'signature-strength':
    'A signature is made with a digest that is too weak for the security level of the service.',
  'key-usage':
    'What the certificate allows its key to be used for keeps TLS clients from accepting it of a server.',
  'tls-loadable': 'No TLS handshake succeeds with the certificate, its chain and its key.',
  'curve-unsupported': 'The key is on a curve that TLS clients do not take from a server.',
  'key-encrypted': 'The private key is encrypted.',
  'key-malformed': 'The private key cannot be read.',
  'key-missing': 'There is no private key in the file and no key that waits for a certificate.',
  'key-mismatch': 'No key that is known belongs to the certificate.',
  'not-a-ca': 'A certificate for the truststore, or an issuer in a chain, is not a CA.',
  'already-installed':
    'The place of a server or a client has a certificate, all authorities of the upload are installed, or there is an endpoint with that id.',
  'limit-reached': 'There are as many authorities, or endpoints, as the configuration allows.',
  'replacement-in-progress':
    'A staged replacement of the endpoint is in progress; other changes wait until it is committed or undone.',
  busy: 'Too many CSRs are being made or containers opened at the moment, or the key was used too often in the last minute.',
  'not-empty': 'Authorities are installed where the call wants none.',
  'wrong-endpoint-type': 'The call is for authorities only.',
  'not-found': 'There is no such certificate, request, endpoint or service.',
  'argument-invalid': 'An argument of a request is not valid; the message begins with its name.',
  'request-failed': 'The worker could not make the request.',
  'request-timeout': 'The worker did not make the request in time.',
  'access-denied': 'The caller may not change certificates.',
  storage: 'The change could not be written; nothing changed.',
  'storage-full': 'There is no room on the disk for the change; nothing changed.',
  unsupported:
    'The manager on the bus is one that cannot do that, such as phosphor-certificate-manager.',
  unavailable: 'The manager or the D-Bus cannot be reached.',
  'no-answer': 'The manager did not answer in time.',
  internal: 'A fault of the manager; the details are in its log.',
} as const;

export type CertErrorCode = keyof typeof certErrors;

/** What is said of a certificate that is accepted all the same; beside these, the code of each check that it fails. */
export const certWarnings = {
  'name-missing':
    'The certificate of a server has no alternative name that is a DNS name or an address, or none that the configuration gives its endpoint.',
  'not-yet-valid': 'The certificate begins after what the clock of the device says.',
  'key-type': 'Web browsers refuse a server whose key is of this kind.',
  'key-identifier':
    'Some TLS clients refuse a chain whose key identifiers do not fit, or are malformed.',
} as const;

export type CertWarningCode = keyof typeof certWarnings;

export function isCertErrorCode(text: string): text is CertErrorCode {
  return Object.hasOwn(certErrors, text);
}

/** The one error type that crosses a layer. Anything else that is thrown is a bug. */
export class CertError extends Error {
  override readonly name = 'CertError';
  readonly code: CertErrorCode;

  constructor(code: CertErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What went wrong in one line, for the log; never for a caller. */
export function reasonOf(error: unknown): string {
  if (error instanceof CertError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** A failure of the file system, in its own form or in ours. */
export function isStorageError(error: unknown): boolean {
  if (error instanceof CertError)
    return error.code.startsWith('storage') || isStorageError(error.cause);
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

/** True for a Node system error with this code, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
