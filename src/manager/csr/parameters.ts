import { CertError } from '../../core/cert-error.ts';
import type {
  NewContent,
  RequestAttributes,
  RequestContent,
} from '../../x509/certification-request.ts';
import { type GeneralName, longestNames, parseGeneralName } from '../../x509/general-names.ts';
import { type Curve, curveNames, type KeyAlgorithm, rsaLengths } from '../../x509/keys.ts';
import type { AttributeType } from '../../x509/name.ts';
import { isKnownUsage, type KeyUsage } from '../../x509/oids.ts';

/**
 * The arguments of `xyz.openbmc_project.Certs.CSR.Create.GenerateCSR` under their names there.
 * An empty string, an empty list and 0 stand for "not given".
 */
export interface CsrParameters {
  readonly AlternativeNames: readonly string[];
  readonly ChallengePassword: string;
  readonly City: string;
  readonly CommonName: string;
  readonly ContactPerson: string;
  readonly Country: string;
  readonly Email: string;
  readonly GivenName: string;
  readonly Initials: string;
  readonly KeyBitLength: bigint;
  readonly KeyCurveId: string;
  readonly KeyPairAlgorithm: string;
  readonly KeyUsage: readonly string[];
  readonly Organization: string;
  readonly OrganizationalUnit: string;
  readonly State: string;
  readonly Surname: string;
  readonly UnstructuredName: string;
}

/** A request that can be made: what it says and the kind of key it is for. */
export interface CsrPlan {
  readonly content: RequestContent;
  readonly algorithm: KeyAlgorithm;
}

/** Subject attributes in upstream's order, with the upper bounds of RFC 5280 appendix A.1. */
const subjectFields: readonly (readonly [keyof CsrParameters, AttributeType, number])[] = [
  ['City', 'L', 128],
  ['CommonName', 'CN', 64],
  ['ContactPerson', 'name', 32768],
  ['Country', 'C', 2],
  ['Email', 'emailAddress', 128],
  ['GivenName', 'GN', 32768],
  ['Initials', 'initials', 32768],
  ['Organization', 'O', 64],
  ['OrganizationalUnit', 'OU', 64],
  ['State', 'ST', 128],
  ['Surname', 'SN', 32768],
];

const limits = { alternativeNames: 100, challengePassword: 255, unstructuredName: 255 };

/** @throws CertError `argument-invalid` that names the argument */
export function planRequest(parameters: CsrParameters): CsrPlan & { readonly content: NewContent } {
  const subject = subjectFields.flatMap(([field, type, max]) => {
    const value = String(parameters[field]);
    checkText(field, value, max);
    return value === '' ? [] : [{ type, value }];
  });
  checkSpecialForms(parameters);
  checkChallengePassword(parameters.ChallengePassword);
  checkText('UnstructuredName', parameters.UnstructuredName, limits.unstructuredName);
  const content: NewContent & RequestAttributes = {
    subject,
    alternativeNames: alternativeNames(parameters),
    usages: parameters.KeyUsage.map(usage),
    ...(parameters.ChallengePassword && { challengePassword: parameters.ChallengePassword }),
    ...(parameters.UnstructuredName && { unstructuredName: parameters.UnstructuredName }),
  };
  return { content, algorithm: keyAlgorithm(parameters) };
}

export function checkChallengePassword(password: string): void {
  checkText('ChallengePassword', password, limits.challengePassword);
}

function checkText(field: string, value: string, max: number): void {
  // No character takes more than two units; what is much too long is not taken apart
  if (value.length > 2 * max || [...value].length > max)
    throw invalid(field, `is longer than ${max} characters`);
  // Those of the direction of writing make a name look like another; half of a character has no UTF-8
  if (/[\p{Cc}\p{Bidi_Control}\p{Cs}]/u.test(value))
    throw invalid(field, 'holds a control character');
}

function checkSpecialForms({ Country, Email }: CsrParameters): void {
  if (Country !== '' && !/^[A-Za-z]{2}$/.test(Country)) {
    throw invalid('Country', 'is not a code of two letters (ISO 3166)');
  }
  if (!/^[\x20-\x7e]*$/.test(Email)) throw invalid('Email', 'holds characters outside of ASCII');
}

const faultOfName =
  `is no DNS name (${longestNames.dns} characters at most), IP address, e-mail address ` +
  `(${longestNames.emailUser} before its @, ${longestNames.emailHost} behind it) or URI (${longestNames.uri})`;

function alternativeNames({ AlternativeNames }: CsrParameters): GeneralName[] {
  if (AlternativeNames.length > limits.alternativeNames) {
    throw invalid('AlternativeNames', `has more than ${limits.alternativeNames} entries`);
  }
  return AlternativeNames.map((text, at) => {
    const name = parseGeneralName(text);
    if (name) return name;
    throw invalid(`AlternativeNames/${at}`, faultOfName);
  });
}

function usage(text: string, at: number): KeyUsage {
  if (isKnownUsage(text)) return text;
  throw invalid(`KeyUsage/${at}`, 'is no key usage that Redfish knows');
}

const rsaNames = ['RSA', 'TPM_ALG_RSA', 'TPM_ALG_RSASSA'];
const ecNames = ['EC', 'ECC', 'ECDSA', 'TPM_ALG_ECC', 'TPM_ALG_ECDSA'];

/**
 * No algorithm means EC, as upstream. EC without a curve means secp384r1: upstream's secp224r1 is for
 * certificates that no TLS client takes; whoever wants it can still name it.
 */
export function keyAlgorithm(
  parameters: Pick<CsrParameters, 'KeyPairAlgorithm' | 'KeyBitLength' | 'KeyCurveId'>,
): KeyAlgorithm {
  const { KeyPairAlgorithm, KeyBitLength, KeyCurveId } = parameters;
  if (rsaNames.includes(KeyPairAlgorithm)) {
    const bits = KeyBitLength === 0n ? 2048 : Number(KeyBitLength);
    if (rsaLengths.some((length) => length === bits)) return { kind: 'RSA', bits };
    throw invalid('KeyBitLength', `is none of ${rsaLengths.join(', ')}`);
  }
  if (KeyPairAlgorithm !== '' && !ecNames.includes(KeyPairAlgorithm)) {
    throw invalid('KeyPairAlgorithm', 'is neither RSA nor EC');
  }
  const curve = KeyCurveId === '' ? 'secp384r1' : curveByName(KeyCurveId);
  if (curve) return { kind: 'EC', curve };
  throw invalid('KeyCurveId', `is none of ${Object.keys(curveNames).join(', ')}`);
}

function curveByName(name: string): Curve | undefined {
  const curves = Object.keys(curveNames) as Curve[];
  return curves.find((curve) => curveNames[curve].some((known) => known === name));
}

function invalid(argument: string, fault: string): CertError {
  return new CertError('argument-invalid', `${argument} ${fault}`);
}
