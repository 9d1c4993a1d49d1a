import type { Certificate } from '../x509/certificate.ts';
import type { Findings } from './checks/findings.ts';

/** A certificate in service. Ids are decimal numbers; a server or client certificate is always `1`. */
export interface InstalledCertificate {
  readonly id: string;
  readonly certificate: Certificate;
  /** What is served with it: the issuers, in order. */
  readonly chain: readonly Certificate[];
  /** Absent where there is nothing to say. */
  readonly findings?: Findings;
}
