import { CertError } from '../../core/cert-error.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { makeRequest, type RequestContent } from '../../x509/certification-request.ts';
import { type Curve, curveNames, type KeyAlgorithm, rsaLengths } from '../../x509/keys.ts';
import { valuesOf } from '../../x509/name.ts';
import type { EndpointType } from '../endpoint-definition.ts';
import type { RekeyParameters } from './parameters.ts';
import {
  type CsrPlan,
  checkParameter,
  impliedAlgorithm,
  impliedNames,
  keyAlgorithm,
} from './plan.ts';

/**
 * A request with the names and usages of a certificate for a new key, of its own kind unless another is
 * asked for. @throws CertError `argument-invalid` that names the argument
 */
export function planRekey(
  certificate: Certificate,
  parameters: RekeyParameters,
  type: EndpointType,
): CsrPlan {
  return {
    content: successorContent(certificate, parameters.ChallengePassword, type),
    algorithm: successorAlgorithm(certificate, parameters),
  };
}

/** What is not asked for stays as it is. */
function successorAlgorithm(
  certificate: Certificate,
  { KeyBitLength, KeyCurveId, KeyPairAlgorithm }: RekeyParameters,
): KeyAlgorithm {
  if (KeyPairAlgorithm === '' && KeyCurveId === '' && KeyBitLength === 0n) {
    return ownAlgorithm(certificate);
  }
  const asked = keyAlgorithm({
    KeyBitLength,
    KeyCurveId,
    KeyPairAlgorithm: KeyPairAlgorithm || impliedAlgorithm({ KeyBitLength, KeyCurveId }),
  });
  const isOpen = asked.kind === 'RSA' ? KeyBitLength === 0n : KeyCurveId === '';
  const own = isOpen ? tryOwnAlgorithm(certificate) : undefined;
  return own?.kind === asked.kind ? own : asked;
}

/**
 * A request with the names and usages of a certificate for the key that it has.
 * @returns PEM. @throws CertError `argument-invalid`
 */
export function makeRenewal(
  { leaf, key }: { readonly leaf: Certificate; readonly key: Parameters<typeof makeRequest>[1] },
  challengePassword: string,
  type: EndpointType,
): string {
  return makeRequest(successorContent(leaf, challengePassword, type), key);
}

function successorContent(
  { der, subject }: Certificate,
  challengePassword: string,
  type: EndpointType,
): RequestContent {
  checkParameter('ChallengePassword', challengePassword);
  return {
    certificate: der.toString('base64'),
    alternativeNames: impliedNames(type, valuesOf(subject, 'CN')),
    ...(challengePassword && { challengePassword }),
  };
}

/** The kind of the key that a certificate has, where it is one that we make. */
function tryOwnAlgorithm({ publicKey }: Certificate): KeyAlgorithm | undefined {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const bits = rsaLengths.find((length) => length === modulusLength);
  if (bits !== undefined) return { kind: 'RSA', bits };
  if (namedCurve !== undefined && isCurve(namedCurve)) return { kind: 'EC', curve: namedCurve };
  return undefined;
}

function ownAlgorithm(certificate: Certificate): KeyAlgorithm {
  const own = tryOwnAlgorithm(certificate);
  if (own) return own;
  throw new CertError(
    'argument-invalid',
    'KeyPairAlgorithm must be given, because the certificate has a key that is not made here',
  );
}

function isCurve(name: string): name is Curve {
  return Object.hasOwn(curveNames, name);
}
