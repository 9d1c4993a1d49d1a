import {
  type CertificateCreate,
  validateCertificateCreate,
} from '../../../schemas/generated/validators.js';
import type { Identity } from '../../identity/identity.ts';
import { type Certificate, readCertificate, refuseOversized } from '../../x509/certificate.ts';
import { type Content, type OpenContent, withoutBase64 } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { isForeignBlock } from '../../x509/no-certificate.ts';
import { isCertificateBlock, type PemBlock } from '../../x509/pem.ts';
import type { RequestBody } from '../http/request-body.ts';
import { memberError, RedfishError } from '../messages/redfish-error.ts';
import { type CertificateCollection, normalPath } from './collections.ts';

/** The members of a body that say what certificate is submitted (DSP2046, Certificate). */
export type Submitted = Pick<
  CertificateCreate,
  'CertificateString' | 'CertificateType' | 'Password'
>;

/**
 * The certificate of a POST. Clients send JSON as Redfish has it, or the file as it is, either under any
 * content type; no file with a certificate begins with a brace.
 * @throws RedfishError 400
 */
export function submittedContent(
  body: RequestBody,
  collection: Pick<CertificateCollection, 'uri'>,
): { content: Content; isRaw: boolean } {
  const { bytes } = body;
  switch (bytes.find((byte) => !space.includes(byte))) {
    case 0x7b:
      return { content: contentOf(submittedMembers(body, collection)), isRaw: false };
    case undefined:
      throw new RedfishError(400, {
        id: 'UnrecognizedRequestBody',
        args: [],
        detail: 'file-empty: the body holds no certificate',
      });
    default:
      return {
        content: { bytes: withoutBase64(bytes), format: 'PEM', password: '' },
        isRaw: true,
      };
  }
}

/** OpenBMC's clients send the body of ReplaceCertificate here as well; its URI has to be of this collection. */
function submittedMembers(
  body: RequestBody,
  { uri }: Pick<CertificateCollection, 'uri'>,
): CertificateCreate {
  const members = body.parse(validateCertificateCreate, { references: ['CertificateUri'] });
  const reference = members.CertificateUri?.['@odata.id'];
  const path = reference === undefined ? uri : (normalPath(reference) ?? '');
  if (path === uri || path.startsWith(`${uri}/`)) return members;
  const name = 'CertificateUri';
  const detail = `it is of another collection than ${uri}`;
  throw memberError(400, 'PropertyValueConflict', [name, '@odata.id'], name, detail);
}

/** What JSON takes for white space (RFC 8259 §2). */
const space: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** What is to be put into the manager, parsed once for all that the service has to know of it. */
export interface Submission {
  readonly content: Content;
  /** Of what goes to a truststore. */
  readonly certificates: () => Promise<readonly Certificate[]>;
  /** Several authorities. */
  readonly isBundle?: true;
}

/** What opens what is submitted, and how much of it is read. */
export interface SubmissionParts {
  readonly contentLimits: ContentLimits;
  readonly openContent: OpenContent;
}

/**
 * What is to be put into an endpoint; of a truststore just the certificates.
 * @param identity who submits it
 * @throws CertError what a container is refused with
 */
export async function admit(
  { endpoint }: CertificateCollection,
  content: Content,
  parts: SubmissionParts,
  identity: Identity | undefined,
): Promise<Submission> {
  if (endpoint.type !== 'authority') return submittedBundle(content, parts, identity);
  const { contentLimits: limits } = parts;
  const opened = await openBlocks(content, parts, identity);
  const blocks = opened.filter(isCertificateBlock);
  // To send a large one over the bus takes longer than to refuse it
  for (const { der } of blocks) refuseOversized(der, limits);
  const [first] = blocks;
  // Without any, the manager says what is wrong
  if (!first) return { content, certificates: async () => [] };
  const certificates = async () => blocks.map(({ der }) => readCertificate(der, limits));
  // The manager refuses what is neither, and no key goes there
  const foreign = opened.filter(isForeignBlock);
  if (foreign.length === 0 && blocks.every(({ der }) => der.equals(first.der)))
    return { content: { bytes: first.der, format: 'DER', password: '' }, certificates };
  const bytes = Buffer.from([...blocks, ...foreign].map(({ text }) => text).join(''));
  return { content: { bytes, format: 'PEM', password: '' }, certificates, isBundle: true };
}

/** All of a truststore, whose certificates are read where the service has to know them. */
export function submittedBundle(
  content: Content,
  parts: SubmissionParts,
  identity: Identity | undefined,
): Submission {
  const certificates = async () =>
    (await openBlocks(content, parts, identity))
      .filter(isCertificateBlock)
      .map(({ der }) => readCertificate(der, parts.contentLimits));
  return { content, certificates };
}

async function openBlocks(
  content: Content,
  { contentLimits, openContent }: SubmissionParts,
  identity: Identity | undefined,
): Promise<readonly PemBlock[]> {
  const user = identity?.account.userName ?? '';
  return openContent(content, contentLimits, user);
}

/** What CertificateType says of the form is a hint: the string has any form in PEM or in base64. */
export function contentOf({ CertificateString, CertificateType, Password }: Submitted): Content {
  const isContainer = CertificateType === 'PKCS7' || CertificateType === 'PKCS12';
  return {
    bytes: withoutBase64(Buffer.from(CertificateString)),
    format: isContainer ? CertificateType : 'PEM',
    password: Password ?? '',
  };
}
