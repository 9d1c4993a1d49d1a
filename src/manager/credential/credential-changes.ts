import { CertError } from '../../core/cert-error.ts';
import type { Change } from '../change.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import type { EndpointType } from '../endpoint-definition.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import type { ActiveCredential } from './active-credential.ts';
import type { CredentialAdmission } from './admission.ts';
import type { CredentialFile } from './credential-file.ts';
import type { CredentialLoader } from './credential-loader.ts';
import { curveFor, generateCertificate } from './generated-certificate.ts';

export interface CredentialChangesOptions {
  readonly type: EndpointType;
  readonly dependencies: EndpointDependencies;
  readonly file: CredentialFile;
  readonly service: ActiveCredential;
  readonly admission: CredentialAdmission;
  readonly stored: CredentialLoader;
}

/** Thrown where a change of our own comes too late; nobody sees it. */
export const superseded = new CertError('already-installed', 'another certificate came first');

/** The steps of the changes of a credential, which callers hand to the queue. */
export class CredentialChanges {
  readonly #options: CredentialChangesOptions;

  constructor(options: CredentialChangesOptions) {
    this.#options = options;
  }

  /** @param lastLook what it throws leaves the file as it is */
  store(
    lastLook: () => Promise<void> = async () => undefined,
  ): Omit<Change<CredentialCandidate | undefined>, 'validate'> {
    const { file, service, stored } = this.#options;
    return {
      write: async (pair) => {
        const look = async () => {
          await lastLook();
          await stored.keepOthers(pair);
        };
        if (pair) {
          await file.write(pair, look);
        } else {
          await look();
          await file.remove();
        }
        stored.noteServed();
      },
      publish: (pair) => service.publish(pair),
    };
  }

  /**
   * A server goes from its certificate to a self-signed one in a single rename.
   * @param precondition throws where there is nothing to remove
   */
  removal(
    precondition: () => void,
    lastLook?: () => Promise<void>,
  ): Change<CredentialCandidate | undefined> {
    const { type, service, stored } = this.#options;
    return {
      ...this.store(lastLook),
      validate: async () => {
        await stored.mustBeRead();
        precondition();
        return type === 'server' ? this.makeCertificate() : undefined;
      },
      publish: (successor) => {
        service.publish(undefined);
        service.publish(successor);
      },
    };
  }

  /** A self-signed certificate that the service can serve. */
  makeCertificate(): Promise<CredentialCandidate> {
    const { admission, dependencies } = this.#options;
    const { identity, selfSigned, serving, now } = dependencies;
    const curve = curveFor(selfSigned.curve, serving.securityLevel);
    return admission.admitGenerated(
      generateCertificate(identity(), { ...selfSigned, curve }, now()),
    );
  }
}
