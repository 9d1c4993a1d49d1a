/**
 * Why a signed message is refused: its form (`malformed`), its signature (`invalid`), whose it is (`untrusted`), or
 * what the certificate of the signer may be used for (`unfit`).
 */
export class CmsFault extends Error {
  override readonly name = 'CmsFault';
  readonly code: 'malformed' | 'invalid' | 'untrusted' | 'unfit';

  constructor(code: CmsFault['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
