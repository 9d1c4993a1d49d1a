import {
  type CertificateCreate,
  validateCertificateCreate,
} from '../../../schemas/generated/validators.js';
import { CertError } from '../../core/cert-error.ts';
import { refuseOversized } from '../../x509/certificate.ts';
import { type Content, pemContent, toPem } from '../../x509/containers.ts';
import { parsePem } from '../../x509/pem.ts';
import type { RequestBody } from '../http/request-body.ts';
import { RedfishError } from '../messages/redfish-error.ts';

import type { CertificateCollection } from './collections.ts';

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
export function submittedContent(body: RequestBody): Content {
  if (isJson(body)) return contentOf(body.parse(validateCertificateCreate));
  if (body.text.trim() === '') {
    throw new RedfishError(400, {
      id: 'UnrecognizedRequestBody',
      args: [],
      detail: 'file-empty: the body holds no certificate',
    });
  }
  return isDer(body.bytes)
    ? { bytes: body.bytes, format: 'DER', password: '' }
    : pemContent(body.text);
}

/**
 * A truststore takes one authority with each POST: what the manager would leave out of a bundle must not
 * look stored. @throws CertError `too-many-certificates`, `certificate-malformed`, and what a container is refused with
 */
export function admit({ endpoint }: CertificateCollection, content: Content): Content {
  if (endpoint.type !== 'authority' || content.format === 'PKCS12') return content;
  const blocks = parsePem(toPem(content)).filter(({ label }) => label.endsWith('CERTIFICATE'));
  // To send a large one over the bus takes longer than to refuse it
  for (const { der } of blocks) refuseOversized(der);
  const count = new Set(blocks.map(({ der }) => der.toString('base64'))).size;
  if (count <= 1) return content;
  throw new CertError(
    'too-many-certificates',
    `there are ${count} certificates where one authority is expected; send each by itself`,
  );
}

/** PKCS #12 is base64 in JSON; PKCS #7 is PEM, or base64 of DER. */
export function contentOf({ CertificateString, CertificateType, Password }: Submitted): Content {
  const password = Password ?? '';
  const isText = CertificateString.includes('-----BEGIN ');
  const bytes = () => Buffer.from(CertificateString, isText ? 'utf8' : 'base64');
  switch (CertificateType) {
    case 'PKCS7':
    case 'PKCS12':
      return { bytes: bytes(), format: CertificateType, password };
    default:
      return { ...pemContent(CertificateString), password };
  }
}

export function isJson({ text }: RequestBody): boolean {
  return /^\s*\{/.test(text);
}

/** A SEQUENCE with a length in the long form, as every certificate begins. */
function isDer(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && ((bytes[1] ?? 0) & 0x80) !== 0;
}
