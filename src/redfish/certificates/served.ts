import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import { fingerprintOf } from '../../tls/credential.ts';
import type { ServerIdentity } from '../../tls/server-identity.ts';
import { renderCondition } from '../messages/certificate-registry.ts';
import type { Condition } from './findings.ts';

/** Whether the certificate of the endpoint that the service serves with is the one that its clients see. */
export interface ServedCertificate {
  /** Resolves when what the file holds now is shown, or refused. */
  refresh(): Promise<void>;
  /** @returns `undefined` while the file is being looked at; nothing for other endpoints */
  conditionsOf(
    endpoint: EndpointRef,
    published: PublishedCertificate,
  ): readonly Condition[] | undefined;
  /** Calls back when the conditions may be others. @returns how to end that */
  onChange(listener: () => void): () => void;
  /** Another number after each such change; `undefined` while the file is being looked at. */
  version(): number | undefined;
}

/** @param served the endpoint whose file the identity follows */
export function followServed(identity: ServerIdentity, served: EndpointRef): ServedCertificate {
  let version = 0;
  identity.onChange(() => {
    version += 1;
  });
  return {
    async refresh() {
      await identity.refresh();
    },
    conditionsOf(endpoint, published) {
      if (endpoint.type !== served.type || endpoint.name !== served.name) return [];
      return identity.isBehind ? undefined : conditionsOf(identity, published);
    },
    version: () => (identity.isBehind ? undefined : version),
    onChange: (listener) => identity.onChange(listener),
  };
}

function conditionsOf(
  { credential, fault, since }: ServerIdentity,
  published: PublishedCertificate,
): readonly Condition[] {
  if (isShown(credential, published)) {
    return fault === undefined
      ? []
      : [renderCondition({ id: 'CertificateServedFromMemory', args: [fault] }, since / 1000)];
  }
  const reason = fault ?? 'the file holds that one, which the manager has not taken over yet';
  const fingerprint = fingerprintOf(credential);
  const args = [fingerprint, reason];
  return [renderCondition({ id: 'CertificateNotServed', args }, since / 1000)];
}

/** A manager of upstream publishes no chain, so that nothing can be said of it. */
function isShown(
  credential: ServerIdentity['credential'],
  { certificate, chain }: PublishedCertificate,
): boolean {
  const same = (a: readonly { fingerprint: string }[], b: readonly { fingerprint: string }[]) =>
    a.length === b.length && a.every((one, at) => one.fingerprint === b[at]?.fingerprint);
  return (
    same([credential.certificate], [certificate]) &&
    (chain.length === 0 || same(credential.chain, chain))
  );
}
