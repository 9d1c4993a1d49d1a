import {
  CertificateType,
  type LoadCertificateRequest,
  type Certificate as SentCertificate,
} from '../../../schemas/generated/gnoi/cert_pb.js';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { isKeyBlock } from '../../x509/keys.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { isCertificateBlock, type PemBlock, parsePem } from '../../x509/pem.ts';
import { StatusError } from '../rpc/status.ts';

/** A certificate that is to be loaded, as far as it can be read without knowing any other. */
export interface LoadRequest {
  /** As it was sent; empty where the id is that of the CSR. */
  readonly id: string;
  readonly certificate: Certificate;
  readonly chain: readonly Certificate[];
  /** PEM; absent where a key waits for the certificate. */
  readonly key?: string;
  /** Absent where the bundle stays. */
  readonly authorities?: readonly Certificate[];
}

/** @throws StatusError, and CertError where a certificate cannot be read */
export function readLoadRequest(
  request: LoadCertificateRequest,
  limits: ContentLimits,
): LoadRequest {
  const { certificateId: id, keyPair, caCertificates } = request;
  const [certificate, ...chain] = readCertificates(request.certificate, 'certificate', limits);
  if (!certificate) throw invalid('certificate holds no certificate in PEM');
  return {
    ...{ id, certificate, chain },
    // What clients put into public_key is not a key: gnoic puts a CSR there
    ...(keyPair && { key: readKey(keyPair.privateKey, limits) }),
    ...(caCertificates.length > 0 && { authorities: readAuthorities(caCertificates, limits) }),
  };
}

/** @throws StatusError, and CertError where a certificate cannot be read */
export function readAuthorities(
  sent: readonly SentCertificate[],
  limits: ContentLimits,
): readonly Certificate[] {
  const authorities = sent.flatMap((one) => readCertificates(one, 'ca_certificates', limits));
  if (authorities.length === 0) throw invalid('ca_certificates holds no certificate in PEM');
  return authorities;
}

function readCertificates(
  sent: SentCertificate | undefined,
  member: string,
  limits: ContentLimits,
): Certificate[] {
  if (sent?.type !== CertificateType.CT_X509) throw invalid(`${member}.type is not CT_X509`);
  const blocks = readBlocks(sent.certificate, limits);
  if (!blocks.every(isCertificateBlock))
    throw invalid(`${member} holds something else than certificates`);
  return blocks.map(({ der }) => readCertificate(der, limits));
}

function readKey(sent: Uint8Array, limits: ContentLimits): string {
  const [block, ...others] = readBlocks(sent, limits).filter(isKeyBlock);
  if (!block || others.length > 0) throw invalid('key_pair.private_key is not one key in PEM');
  return block.text;
}

function readBlocks(bytes: Uint8Array, limits: ContentLimits): PemBlock[] {
  return parsePem(Buffer.from(bytes).toString('utf8'), limits);
}

function invalid(details: string): StatusError {
  return new StatusError('INVALID_ARGUMENT', details);
}
