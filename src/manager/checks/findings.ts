import type { CertErrorCode, CertWarningCode } from '../../core/cert-error.ts';

/** What is to be said of a certificate: the code of the check, and a sentence. */
export interface Finding {
  readonly code: CertErrorCode | CertWarningCode;
  readonly text: string;
}

/** A certificate of a file that is not served. */
export interface LeftOut {
  readonly subject: string;
  readonly reason: string;
}

/** What is to be said of a certificate that is in service all the same. */
export interface Findings {
  /** Why some clients will refuse it, or why it would not be accepted any more. */
  readonly warnings: readonly Finding[];
  /** Of the file that it came in. */
  readonly leftOut: readonly LeftOut[];
  /** When it was judged, in seconds since 1970. */
  readonly since: number;
}
