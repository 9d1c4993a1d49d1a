import type { ChangeQueue } from '../change.ts';
import type { EndpointDefinition } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { ActiveCredential } from './active-credential.ts';
import type { CredentialAdmission } from './admission.ts';
import type { CredentialFile } from './credential-file.ts';

/** What those who act on one credential share. */
export interface CredentialParts {
  readonly definition: EndpointDefinition;
  readonly dependencies: EndpointDependencies;
  readonly queue: ChangeQueue;
  readonly file: CredentialFile;
  readonly service: ActiveCredential;
  readonly admission: CredentialAdmission;
}
