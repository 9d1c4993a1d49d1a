import type { RoleId } from '../../identity/roles.ts';

/** Who makes a call. */
export interface Caller {
  readonly userName: string;
  readonly role: RoleId;
  /** IP address. */
  readonly address: string;
}
