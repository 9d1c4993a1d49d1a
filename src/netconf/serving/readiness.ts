import type { TrustLists } from '../../identity/peer-certificates/chain.ts';
import type { Refusal } from '../../identity/peer-certificates/refusal.ts';
import { type Certificate, isSelfSigned } from '../../x509/certificate.ts';

/** Whether the service can let anybody in, and why not. */
export type Readiness =
  | 'ready'
  | 'no-certificate'
  | 'self-signed'
  | 'expired'
  | 'not-yet-valid'
  | 'no-authorities'
  | 'manager-away';

export interface ReadinessInput {
  /** What the service shows; absent where its file has nothing to show. */
  readonly certificate: Certificate | undefined;
  /** Whom it trusts; absent while that cannot be read. */
  readonly trust: TrustLists | undefined;
  /** Seconds since 1970. */
  readonly now: number;
}

/** RFC 7589 has both sides show certificates; one that the server signed itself proves nothing to its clients. */
export function readinessOf({ certificate, trust, now }: ReadinessInput): Readiness {
  if (!certificate) return 'no-certificate';
  if (isSelfSigned(certificate)) return 'self-signed';
  if (certificate.notAfter < now) return 'expired';
  if (certificate.notBefore > now) return 'not-yet-valid';
  if (!trust) return 'manager-away';
  return trust.trusted.length === 0 ? 'no-authorities' : 'ready';
}

/** Why the connections of a service that is not ready are closed. */
export const refusalOfReadiness: Readonly<Record<Exclude<Readiness, 'ready'>, Refusal>> = {
  'no-certificate': 'no-server-certificate',
  'self-signed': 'no-server-certificate',
  expired: 'no-server-certificate',
  'not-yet-valid': 'no-server-certificate',
  'no-authorities': 'no-authorities',
  'manager-away': 'unavailable',
};

export interface AdviceInput {
  readonly service: string;
  readonly authorities: readonly string[];
  /** Why the file of the service cannot be served, as a clause. */
  readonly fault: string | undefined;
}

/** What is the matter, and what to do. */
export function adviceFor(
  readiness: Readiness,
  { service, authorities, fault }: AdviceInput,
): string {
  const bind = `install one that a CA issued under an id, and bind it: bmc-certs bind ${service} ID`;
  switch (readiness) {
    case 'ready':
      return '';
    case 'no-certificate':
      return `The service has no certificate to show${fault === undefined ? '' : ` (${fault})`}; ${bind}`;
    case 'self-signed':
      return `The certificate of the service is self-signed; ${bind}`;
    case 'expired':
      return `The certificate of the service has expired by the clock of the device; ${bind}`;
    case 'not-yet-valid':
      return `The certificate of the service is not valid yet: look at the clock of the device, or ${bind}`;
    case 'no-authorities':
      return `No CA verifies clients; put their root into authority/${authorities[0] ?? ''}`;
    case 'manager-away':
      return 'The certificate manager cannot be asked which CAs verify clients; look at systemctl status bmc-certificate-manager';
  }
}
