import type { CertErrorCode } from '../../../src/core/cert-error.ts';
import type { ContentFormat } from '../../../src/x509/containers.ts';

/** One thing that somebody may hand over as a certificate, and what becomes of it. */
export interface Nasty {
  readonly what: string;
  /** Where it goes: the truststore takes certificates alone, a client endpoint pairs, a server the same for TLS. */
  readonly to: 'authority' | 'client' | 'server';
  readonly content: () => Buffer;
  /** PEM unless it says so. */
  readonly format?: ContentFormat;
  readonly password?: string;
  readonly verdict: 'accepted' | CertErrorCode;
  /** What others do with it, or why it is so. */
  readonly because: string;
}

type Row = Pick<Nasty, 'what' | 'to' | 'verdict' | 'because'>;
/** A row for what has words to say why. */
export const row = (
  { what, to, verdict, because }: Row,
  content: () => Buffer | string,
  more: Partial<Nasty> = {},
): Nasty => ({
  ...{ what, to, verdict, because, ...more },
  content: () => Buffer.from(content()),
});
