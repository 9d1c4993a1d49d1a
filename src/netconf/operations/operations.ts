import type { StoredNetconfNames } from '../../../schemas/generated/validators.js';
import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import type { EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import type { StateFile } from '../../storage/state-file.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import type { Operations } from '../rpc/operation.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Lockout } from './lockout.ts';

export interface DatastoreSettings {
  /** What cert-data holds in answers: CMS as RFC 9640 has it, or one bare certificate of X.509 where there is only one. */
  readonly certDataFormat: 'cms' | 'x509';
  readonly content: ContentLimits;
}

export interface DatastoreOptions {
  /** The endpoints of run time, which edit-config changes. */
  readonly endpoints: EdgeEndpoints;
  /** The endpoints of the configuration, which are shown and not changed. */
  readonly certificates: CertificateClient;
  /** Its ends release locks. */
  readonly sessions: Sessions;
  /** What clients call certificates; the manager knows no such names. */
  readonly names: StateFile<StoredNetconfNames>;
  readonly lockout: Lockout;
  /** Asked for each operation. */
  readonly settings: () => DatastoreSettings;
  readonly audit: Audit;
  readonly log: Log;
  readonly now: () => Date;
}

export interface Datastore {
  /** All but close-session and kill-session. */
  readonly operations: Operations;
  /** What a hello announces, the base capabilities too. */
  readonly capabilities: readonly string[];
  close(): void;
}
