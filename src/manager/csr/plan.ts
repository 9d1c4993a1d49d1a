import { CertError } from '../../core/cert-error.ts';
import type {
  NewContent,
  RequestAttributes,
  RequestContent,
} from '../../x509/certification-request.ts';
import {
  type GeneralName,
  longestNames,
  parseGeneralName,
  parseHost,
  readHostAndPort,
} from '../../x509/general-names.ts';
import { type Curve, curveNames, type KeyAlgorithm, rsaLengths } from '../../x509/keys.ts';
import { isKnownUsage, type KeyUsage, keyUsages } from '../../x509/oids.ts';
import type { EndpointType } from '../endpoint-definition.ts';
import {
  type CsrParameterName,
  type CsrParameters,
  csrParameterNames,
  csrParameters,
} from './parameters.ts';

/** A CSR that can be made: what it says and the kind of key it is for. */
export interface CsrPlan {
  readonly content: RequestContent;
  readonly algorithm: KeyAlgorithm;
}

/**
 * The one check of the parameters, for every edge.
 * @param type of the endpoint
 * @throws CertError `argument-invalid` that begins with the parameter
 */
export function planRequest(
  parameters: CsrParameters,
  type: EndpointType,
): CsrPlan & { readonly content: NewContent } {
  refuseNameless(parameters);
  for (const name of csrParameterNames) checkParameter(name, parameters[name]);
  const { AlternativeNames, ChallengePassword, CommonName, UnstructuredName } = parameters;
  const content: NewContent & RequestAttributes = {
    subject: csrParameterNames.flatMap((name) => {
      const { attribute: type } = csrParameters[name];
      const value = String(parameters[name]);
      return type === undefined || value === '' ? [] : [{ type, value }];
    }),
    alternativeNames:
      AlternativeNames.length > 0
        ? AlternativeNames.map(alternativeName)
        : impliedNames(type, [CommonName]),
    usages: parameters.KeyUsage.map(usage),
    ...(ChallengePassword && { challengePassword: ChallengePassword }),
    ...(UnstructuredName && { unstructuredName: UnstructuredName }),
  };
  return { content, algorithm: keyAlgorithm(parameters) };
}

/** No CA and no client knows whose the certificate would be. @throws CertError `argument-invalid` */
export function refuseNameless({ AlternativeNames, CommonName }: CsrParameters): void {
  if (AlternativeNames.length > 0 || CommonName.trim() !== '') return;
  throw invalid('CommonName', 'is missing, and so are AlternativeNames; give one of them');
}

/** The alternative names of a server that has common names alone: its clients look at no others (RFC 9525 §2). */
export function impliedNames(type: EndpointType, commonNames: readonly string[]): GeneralName[] {
  return type === 'server' ? commonNames.flatMap((text) => parseHost(text) ?? []) : [];
}

/** What the declaration of a parameter says of its value. @throws CertError `argument-invalid` */
export function checkParameter(
  name: CsrParameterName,
  value: string | readonly string[] | bigint,
): void {
  const { max, form } = csrParameters[name];
  // A parameter without one is checked with the key that it is for
  if (max === undefined) return;
  if (Array.isArray(value) && value.length > max)
    throw invalid(name, `has more than ${max} entries`);
  if (typeof value !== 'string') return;
  if (form && !form.pattern.test(value)) throw invalid(name, form.fault);
  // No character takes more than two units; what is much too long is not taken apart
  if (value.length > 2 * max || [...value].length > max)
    throw invalid(name, `is longer than ${max} characters`);
  // Those of the direction of writing make a name look like another; half of a character has no UTF-8
  if (/[\p{Cc}\p{Bidi_Control}\p{Cs}]/u.test(value))
    throw invalid(name, 'holds a control character');
}

const faultOfName =
  `is no DNS name (${longestNames.dns} characters at most), IP address, e-mail address ` +
  `(${longestNames.emailUser} before its @, ${longestNames.emailHost} behind it) or URI (${longestNames.uri})`;

function alternativeName(text: string, at: number): GeneralName {
  const name = parseGeneralName(text) ?? readHostAndPort(text);
  if (name) return name;
  throw invalid(`AlternativeNames/${at}`, faultOfName);
}

function usage(text: string, at: number): KeyUsage {
  if (isKnownUsage(text)) return text;
  throw invalid(`KeyUsage/${at}`, `is none of ${keyUsages.join(', ')}`);
}

const rsaNames = ['RSA', 'TPM_ALG_RSA', 'TPM_ALG_RSASSA'];
const ecNames = ['EC', 'ECC', 'ECDSA', 'TPM_ALG_ECC', 'TPM_ALG_ECDH', 'TPM_ALG_ECDSA'];

export type KeyParameters = Pick<CsrParameters, 'KeyPairAlgorithm' | 'KeyBitLength' | 'KeyCurveId'>;

/**
 * No algorithm means EC, as upstream. EC without a curve means secp384r1: upstream's secp224r1 is for
 * certificates that no TLS client takes; a caller can still name it.
 */
export function keyAlgorithm({
  KeyPairAlgorithm,
  KeyBitLength,
  KeyCurveId,
}: KeyParameters): KeyAlgorithm {
  if (rsaNames.includes(KeyPairAlgorithm)) {
    const bits = KeyBitLength === 0n ? 2048 : Number(KeyBitLength);
    if (rsaLengths.some((length) => length === bits)) return { kind: 'RSA', bits };
    throw invalid('KeyBitLength', `is none of ${rsaLengths.join(', ')}`);
  }
  if (KeyPairAlgorithm !== '' && !ecNames.includes(KeyPairAlgorithm)) {
    throw invalid('KeyPairAlgorithm', 'is neither RSA nor EC');
  }
  const curve = KeyCurveId === '' ? defaultCurve : curveByName(KeyCurveId);
  if (curve) return { kind: 'EC', curve };
  throw invalid('KeyCurveId', `is none of ${curves.join(', ')}`);
}

export const defaultCurve = 'secp384r1';

/** What a client means that names no algorithm: a length can only be meant for RSA. */
export function impliedAlgorithm({
  KeyBitLength,
  KeyCurveId,
}: Pick<KeyParameters, 'KeyBitLength' | 'KeyCurveId'>): 'RSA' | 'EC' {
  return KeyBitLength !== 0n && KeyCurveId === '' ? 'RSA' : 'EC';
}

const curves = Object.keys(curveNames) as readonly Curve[];

export function curveByName(name: string): Curve | undefined {
  return curves.find((curve) => curveNames[curve].some((known) => known === name));
}

function invalid(parameter: string, fault: string): CertError {
  return new CertError('argument-invalid', `${parameter} ${fault}`);
}
