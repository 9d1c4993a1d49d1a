import type { ExpiryNews } from './expiry.ts';
import type { InstalledCertificate } from './installed-certificate.ts';

export type RequestState = 'none' | 'ready' | 'failed';

/** What happened at an endpoint, in the order in which it became true. */
export type EndpointEvent =
  | { readonly kind: 'added'; readonly installed: InstalledCertificate }
  | {
      readonly kind: 'changed';
      readonly installed: InstalledCertificate;
      readonly previous: InstalledCertificate;
    }
  | { readonly kind: 'removed'; readonly installed: InstalledCertificate }
  | { readonly kind: 'request'; readonly state: RequestState }
  | ({ readonly kind: 'expiry' } & ExpiryNews)
  /** A file holds no certificate that can be in service. */
  | { readonly kind: 'damaged'; readonly path: string; readonly reason: string };
