import { setTimeout as sleep } from 'node:timers/promises';
import { CertError } from '../core/cert-error.ts';
import { probeService } from '../tls/probe-service.ts';
import type { ServerIdentity } from '../tls/server-identity.ts';
import type { Certificate } from '../x509/certificate.ts';

export interface ShownCertificateOptions {
  /** Whether the service shows the certificate of an id. */
  readonly isBound: (id: string) => boolean;
  readonly identity: Pick<ServerIdentity, 'credential' | 'fault' | 'refresh'>;
  /** Where the service listens, once it does. */
  readonly listensAt: () => { readonly address: string; readonly port: number };
}

/** How long the service may take to have a certificate that is in service at the manager, which is undone then. */
const showMilliseconds = 10_000;

/**
 * Resolves when a new connection meets the certificate of an id that the service is bound to: clients that connect at once after
 * the answer must not meet the certificate from before.
 */
export async function untilShown(
  { isBound, identity, listensAt }: ShownCertificateOptions,
  id: string,
  { fingerprint, der }: Pick<Certificate, 'fingerprint' | 'der'>,
): Promise<void> {
  if (!isBound(id)) return;
  const end = performance.now() + showMilliseconds;
  while (identity.credential.certificate.fingerprint !== fingerprint) {
    if (performance.now() > end) throw notShown(identity.fault ?? 'it is not written');
    await identity.refresh();
    await sleep(20);
  }
  const { address, port } = listensAt();
  const fault = await probeService(`${inUrl(reachable(address))}:${port}`, der);
  if (fault !== undefined) throw notShown(fault);
}

function notShown(fault: string): CertError {
  return new CertError('internal', `the service cannot show the certificate: ${fault}`);
}

/** Where a service is met that listens at every address: Node has the one of IPv6 take connections of IPv4, too. */
function reachable(address: string): string {
  return address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
