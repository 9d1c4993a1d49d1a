import type { KeyAlgorithm } from '../x509/keys.ts';
import type { Target } from './device.ts';
import type { Use } from './issued-certificate.ts';
import type { MacSettings } from './protection/mac.ts';

/** How a CA is asked, and what is taken from it. */
export interface CaProfile {
  readonly name: string;
  readonly description: string;
  readonly url: string;
  /** The authority endpoint whose certificates are the CA's. */
  readonly authority: Target;
  /** File with the password of each reference. */
  readonly keyList: Readonly<Record<string, { readonly passwordFile: string }>>;
  readonly acceptUnprotected: { readonly errorMessage: boolean; readonly pkiconfMessage: boolean };
  /** How the sender is named under a password. */
  readonly sender: 'subject' | 'reference' | 'null';
  readonly mac: MacSettings;
  readonly maxIterations: number;
  readonly responseSeconds: number;
  readonly responseBytes: number;
  /** The authority endpoint that vouches for an https URL. */
  readonly tlsAuthority: Target;
  readonly revocationCheck: 'none' | 'crl-optional';
}

/** A certificate that is kept enrolled. */
export interface CertificatePolicy {
  readonly name: string;
  readonly endpoint: Target;
  readonly ca: string;
  readonly reference: string;
  /** With placeholders, such as `CN={hostname},O=Example`. */
  readonly subject: string;
  readonly names: readonly string[];
  readonly key: KeyAlgorithm;
  readonly use: Use;
  readonly ignoreKeyUsage: boolean;
  readonly renew: 'kur' | 'cr';
  readonly kurNames: 'repeat' | 'omit';
  readonly renewBefore: RenewBefore;
  readonly warning: { readonly hours: number; readonly repeatHours: number };
  /** Whether the first certificate is asked for without a command. */
  readonly isAutomatic: boolean;
  /** Where the service must show the new certificate, as `HOST:PORT`. */
  readonly probe: string | undefined;
}

export type RenewBefore = { readonly hours: number } | { readonly percent: number };
