import type { KeyObject } from 'node:crypto';
import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../manager/certificate-client.ts';
import { incompleteness } from '../manager/checks/completeness.ts';
import { type Expiry, expiryOf, validityWarning } from '../manager/expiry.ts';
import type { Certificate } from '../x509/certificate.ts';
import { colonHex } from '../x509/colon-hex.ts';
import { formatName } from '../x509/name.ts';
import { type Fields, optional, type Row } from './framework/fields.ts';
import { nameOf } from './targets.ts';

const stateTones = {
  Valid: 'good',
  Expiring: 'warning',
  NotYetValid: 'warning',
  Expired: 'bad',
} as const;

/** What is said of any certificate in a list. */
export const summaryFields = {
  subject: { type: 'text', title: 'Subject', about: 'the distinguished name' },
  issuer: { type: 'text', title: 'Issuer', about: 'the distinguished name' },
  names: { type: 'texts', title: 'Names', about: 'subject alternative names' },
  notBefore: { type: 'time', about: 'begin of the validity' },
  notAfter: { type: 'time', about: 'end of the validity' },
  daysLeft: {
    type: 'number',
    title: 'Days',
    about: 'whole days until it expires; negative once it has expired',
  },
  state: {
    type: 'text',
    title: 'State',
    about:
      '`Valid`, `Expiring` (from the first threshold of the configuration on), `Expired` or `NotYetValid`',
    tones: stateTones,
  },
  sha256: { type: 'text', about: 'fingerprint, in the form of OpenSSL' },
} as const satisfies Fields;

/** The same of a row that may be of something else. */
export const optionalSummaryFields = optional(summaryFields);

export const noSummary: Row<typeof optionalSummaryFields> = {
  subject: null,
  issuer: null,
  names: null,
  notBefore: null,
  notAfter: null,
  daysLeft: null,
  state: null,
  sha256: null,
};

/** @param expiry as the manager judges; without it the clock of this computer decides */
export function summaryOf(
  certificate: Certificate,
  expiry: Expiry = expiryOf(certificate, Date.now(), []),
): Row<typeof summaryFields> {
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    names: certificate.alternativeNames.map(({ value }) => value),
    notBefore: new Date(certificate.notBefore * 1000),
    notAfter: new Date(certificate.notAfter * 1000),
    daysLeft: expiry.daysLeft,
    state: expiry.state,
    sha256: colonHex(certificate.fingerprint),
  };
}

/** What a command answers that put a certificate into service. */
export const installedFields = {
  certificate: { type: 'text', title: 'Certificate', about: 'its name, such as `server/https/1`' },
  ...summaryFields,
  warnings: {
    type: 'rows',
    about: 'why some clients will refuse it',
    fields: {
      code: { type: 'text', about: 'of docs/errors.md' },
      text: { type: 'text', about: 'a sentence' },
    },
  },
  leftOut: {
    type: 'rows',
    about: 'certificates of the file that are not served',
    fields: {
      subject: { type: 'text', about: 'the distinguished name' },
      reason: { type: 'text', about: 'why it is not served' },
    },
  },
  missing: { type: 'text', optional: true, about: 'what is missing on the way to a root' },
} as const satisfies Fields;

/** @param client which knows the CAs of the device */
export function installedRow(
  client: Pick<CertificateClient, 'endpoints' | 'list'>,
  endpoint: EndpointRef,
  published: PublishedCertificate,
) {
  const { warnings = [], leftOut = [] } = published.findings ?? {};
  const ofDates = validityWarning(published.certificate, Date.now());
  return {
    certificate: nameOf(endpoint, published.id),
    ...summaryOf(published.certificate),
    warnings: [...(ofDates ? [ofDates] : []), ...warnings].map(({ code, text }) => ({
      code,
      text,
    })),
    leftOut: leftOut.map(({ subject, reason }) => ({ subject, reason })),
    missing: incompleteness(client, endpoint, published)?.text ?? null,
  } satisfies Row<typeof installedFields>;
}

/** One line: what is where, and until when. */
export function installedText({ certificate, subject, notAfter }: InstalledRow): string {
  return `${certificate}: ${subject}, until ${day(notAfter)}`;
}

type InstalledRow = ReturnType<typeof installedRow>;

/** A line for each warning, for each certificate of the file that is not served, and for what is missing. */
export function findingNotes({ warnings, leftOut, missing }: InstalledRow): readonly string[] {
  return [
    ...warnings.map(({ code, text }) => `Warning: ${code}: ${text}`),
    ...leftOut.map(({ subject, reason }) => `Left out: ${subject}: ${reason}`),
    ...(missing === null ? [] : [`Note: ${missing}`]),
  ];
}

export function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** Such as `RSA 2048` and `EC P-256`. */
export function keyText({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
  const type: string = asymmetricKeyType ?? 'unknown';
  const size = modulusLength ?? curves[namedCurve ?? ''] ?? namedCurve;
  const name = type.startsWith('ed') ? `Ed${type.slice(2)}` : type.toUpperCase();
  return size === undefined ? name : `${name} ${size}`;
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};
