import type { KeyObject } from 'node:crypto';
import { servedCurves } from '../../manager/checks/checks.ts';
import { type Curve, curveNames } from '../../x509/keys.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { CertificateCollection } from './collections.ts';
import { infoOf } from './findings.ts';

const curves = Object.keys(curveNames) as Curve[];

/** Every name of the curves that a server can be reached with. */
export const servableCurveNames: readonly string[] = curves
  .filter((curve) => servedCurves.includes(curve))
  .flatMap((curve) => curveNames[curve]);

/**
 * A request for a key that a server could not serve would only fail when its certificate comes.
 * @throws RedfishError 400
 */
export function refuseUnservable(
  { endpoint }: CertificateCollection,
  { KeyCurveId }: { readonly KeyCurveId: string },
  action: string,
): void {
  const isKnown = curves.some((curve) => curveNames[curve].some((name) => name === KeyCurveId));
  if (endpoint.type !== 'server' || !isKnown || servableCurveNames.includes(KeyCurveId)) return;
  throw new RedfishError(400, {
    id: 'ActionParameterValueNotInList',
    args: [JSON.stringify(KeyCurveId), 'KeyCurveId', action],
    detail: `curve-unsupported: no TLS client takes a server certificate on ${KeyCurveId}`,
    related: ['#/KeyCurveId'],
  });
}

/**
 * What the reply to a CSR of a server says of the curve of its key.
 * @param served the key in service, for a CSR that asks for no other
 */
export function curveInfo(
  { endpoint }: CertificateCollection,
  { KeyCurveId, KeyPairAlgorithm = '', KeyBitLength = 0 }: CsrKey,
  served?: KeyObject,
): object {
  // Each name of RSA has these letters, as TPM_ALG_RSASSA; a length alone can only be meant for RSA
  const isRsa = KeyPairAlgorithm.includes('RSA') || (KeyBitLength > 0 && !KeyCurveId);
  const curve = isRsa ? undefined : KeyCurveId || served?.asymmetricKeyDetails?.namedCurve;
  const isRefused = curveNames.secp521r1.some((name) => name === curve);
  if (endpoint.type !== 'server' || curve === undefined || !isRefused) return {};
  return infoOf([{ id: 'CurveRefusedByBrowsers', args: [curve] }]);
}

interface CsrKey {
  readonly KeyCurveId?: string;
  readonly KeyPairAlgorithm?: string;
  readonly KeyBitLength?: number | bigint;
}
