import type { NewUser, UserChange } from '../identity/accounts/user-directory.ts';
import type { Administration } from '../manager/administration.ts';
import type { CertificateClient } from '../manager/certificate-client.ts';

/** The manager of a device, reached. */
export interface Manager {
  readonly client: CertificateClient;
  readonly administration: Administration;
  /** Whether it tells of CSRs, services and replacements, for which the standard of Redfish has no words. */
  readonly tellsAll: boolean;
  /** The clock of the device, in milliseconds since 1970. */
  readonly now: () => number;
}

export interface Account {
  readonly userName: string;
  readonly role: string;
  readonly enabled: boolean;
  readonly locked: boolean;
  readonly passwordChangeRequired: boolean;
}

/** What the administrator of a device asks about its accounts. Rejections are IdentityErrors, CertErrors and CommandErrors. */
export interface Accounts {
  list(): Promise<readonly Account[]>;
  create(user: NewUser): Promise<void>;
  update(userName: string, change: UserChange): Promise<void>;
  remove(userName: string): Promise<void>;
}

/** A way to a device: its own bus, or a Redfish service. Connects when it is asked first. */
export interface Road {
  /** @throws CertError `unavailable`, CommandError, and why the other side said no */
  manager(): Promise<Manager>;
  /** @throws as `manager` */
  accounts(): Promise<Accounts>;
  /** Ends connections and sessions. */
  close(): Promise<void>;
}
