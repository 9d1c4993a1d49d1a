import { CertError } from '../../core/cert-error.ts';
import type { Change } from '../change.ts';
import type { CredentialCandidate } from '../checks/checks.ts';
import type { CredentialLoader } from './credential-loader.ts';
import type { CredentialParts } from './credential-parts.ts';
import { curveFor, generateCertificate } from './generated-certificate.ts';

/** Thrown where a change of our own comes too late; no caller sees it. */
export const superseded = new CertError('already-installed', 'another certificate came first');

/** Those and what was read of the file. */
export type Parts = CredentialParts & { readonly stored: CredentialLoader };

/**
 * The steps that put a credential, or none, into service.
 * @param lastLook what it throws leaves the file as it is
 */
export function storeCredential(
  { file, service, stored }: Parts,
  lastLook: () => Promise<void> = async () => undefined,
): Omit<Change<CredentialCandidate | undefined>, 'validate'> {
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
export function removeCredential(
  parts: Parts,
  precondition: () => void,
  lastLook?: () => Promise<void>,
): Change<CredentialCandidate | undefined> {
  const { service, stored } = parts;
  return {
    ...storeCredential(parts, lastLook),
    validate: async () => {
      await stored.mustBeRead();
      precondition();
      return generates(parts) ? makeCredential(parts) : undefined;
    },
    publish: (successor) => {
      service.publish(undefined);
      service.publish(successor);
    },
  };
}

/** Whether the endpoint is never without a certificate. */
export function generates({ definition, dependencies }: CredentialParts): boolean {
  return definition.type === 'server' && dependencies.mayBeEmpty !== true;
}

/** A self-signed certificate that the service can serve. */
export function makeCredential({
  admission,
  dependencies,
}: CredentialParts): Promise<CredentialCandidate> {
  const { identity, selfSigned, serving, now } = dependencies;
  const curve = curveFor(selfSigned.curve, serving.securityLevel);
  return admission.admitGenerated(generateCertificate(identity(), { ...selfSigned, curve }, now()));
}
