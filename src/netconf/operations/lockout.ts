import type { Identity } from '../../identity/identity.ts';
import type { Certificate } from '../../x509/certificate.ts';

/** Keeps a session from an edit after which its client would not be let in any more. */
export interface Lockout {
  /**
   * Whether the client of a session would still be let in.
   * @param changed what authorities of run time, by their ids, will have; those that are not there stay as they are
   */
  letsIn(
    identity: Identity,
    changed: ReadonlyMap<string, readonly Certificate[]>,
  ): boolean | Promise<boolean>;
}
