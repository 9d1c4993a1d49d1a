/** How the service that uses a certificate speaks TLS, as far as that decides whether it can serve the certificate. */
export interface ServingProfile {
  /** OpenSSL's, 0 to 5 (SSL_CTX_set_security_level(3)), which certificates have to meet. */
  readonly securityLevel: number;
  /** The level at which the service makes its handshakes: what it speaks need not meet a higher demand. */
  readonly handshakeLevel: number;
  readonly versions: readonly ('TLSv1.2' | 'TLSv1.3')[];
  /** OpenSSL's list of suites of both versions, without a security level. */
  readonly ciphers: string;
  /** OpenSSL's lists of groups and signature algorithms. */
  readonly groups: string;
  readonly signatures: string;
  /** Whether there are suites among them in which an RSA key decrypts (RFC 5246 §7.4.7.1). */
  readonly hasRsaKeyExchange: boolean;
}
