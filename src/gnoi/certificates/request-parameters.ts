import {
  type CanGenerateCSRRequest,
  CertificateType,
  type CSRParams,
  KeyType,
} from '../../../schemas/generated/gnoi/cert_pb.js';
import { type CsrParameters, withAbsent } from '../../manager/csr/parameters.ts';
import { parseHost } from '../../x509/general-names.ts';
import { rsaLengths } from '../../x509/keys.ts';
import { StatusError } from '../rpc/status.ts';

/** The key that is made for a size that a client wants at least. */
function lengthFor(minimum: number): number | undefined {
  return rsaLengths.find((length) => length >= minimum);
}

function isKeyType(type: KeyType): boolean {
  // A client that names no kind of key takes the only one that the contract has
  return type === KeyType.KT_UNKNOWN || type === KeyType.KT_RSA;
}

export function canGenerate({ keyType, certificateType, keySize }: CanGenerateCSRRequest): boolean {
  return (
    isKeyType(keyType) &&
    certificateType === CertificateType.CT_X509 &&
    lengthFor(keySize) !== undefined
  );
}

/**
 * The parameters of a CSR. It always has an alternative name: clients copy those into the certificate, and accept no server by
 * the common name alone.
 * @throws StatusError where no such CSR can be made
 */
export function requestParameters(
  params: CSRParams | undefined,
  hostName: () => string,
): CsrParameters {
  if (params?.type !== CertificateType.CT_X509)
    throw new StatusError('INVALID_ARGUMENT', 'csr_params.type is not CT_X509');
  if (!isKeyType(params.keyType))
    throw new StatusError('UNIMPLEMENTED', 'csr_params.key_type is not KT_RSA');
  const length = lengthFor(params.minKeySize);
  if (length === undefined)
    throw new StatusError(
      'UNIMPLEMENTED',
      `csr_params.min_key_size is more than ${rsaLengths.at(-1)}`,
    );
  return withAbsent({
    KeyPairAlgorithm: 'RSA',
    KeyBitLength: BigInt(length),
    CommonName: params.commonName,
    Country: params.country,
    State: params.state,
    City: params.city,
    Organization: params.organization,
    OrganizationalUnit: params.organizationalUnit,
    Email: params.emailId,
    AlternativeNames: alternativeNames(params, hostName),
  });
}

function alternativeNames(
  { commonName, ipAddress, emailId }: CSRParams,
  hostName: () => string,
): readonly string[] {
  const names = [
    ...(parseHost(commonName) ? [commonName] : []),
    ...(ipAddress === '' ? [] : [`IP:${ipAddress}`]),
    ...(emailId === '' ? [] : [`email:${emailId}`]),
  ];
  return names.length > 0 ? names : [hostName()];
}
