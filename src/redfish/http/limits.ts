import type { QueryLimits } from '../query/limits.ts';

/** What a request may ask of the application; the server has limits of its own for connections. */
export interface HttpLimits {
  /** The largest upload of certificates. */
  readonly bodyBytes: number;
  /** The largest body of any other kind. */
  readonly jsonBytes: number;
  /** Changes of one resource that one user may have waiting, the one at work included. */
  readonly changesPerUser: number;
  readonly uriBytes: number;
  /** Answers smaller than this are not compressed. */
  readonly gzipBytes: number;
  readonly query: QueryLimits;
}
