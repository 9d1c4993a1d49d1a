import type { Certificate } from '../x509/certificate.ts';
import type { User } from './accounts/user-directory.ts';

/** Who a caller is. */
export interface Identity {
  readonly account: User;
  /** Absent with credentials that come along with every request. */
  readonly session?: { readonly id: string };
  /** The caller's own, when the caller made the connection with it and is logged in by it. */
  readonly certificate?: Certificate;
  /** The certificates that the caller showed along with that, its own first. */
  readonly shown?: readonly Certificate[];
}
