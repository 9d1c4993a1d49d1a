import type { KeyObject } from 'node:crypto';
import { isServedCurve } from '../../manager/checks/checks.ts';
import { curveByName, impliedAlgorithm, type KeyParameters } from '../../manager/csr/plan.ts';
import type { CertificateMessage } from '../messages/certificate-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { CertificateCollection } from './collections.ts';

/**
 * A request for a key that a server could not serve would only fail when its certificate comes.
 * @throws RedfishError 400
 */
export function refuseUnservable(
  { endpoint }: CertificateCollection,
  { KeyCurveId }: Pick<KeyParameters, 'KeyCurveId'>,
  action: string,
): void {
  const curve = curveByName(KeyCurveId);
  if (endpoint.type !== 'server' || !curve || isServedCurve(curve)) return;
  throw new RedfishError(400, {
    id: 'ActionParameterValueNotInList',
    args: [JSON.stringify(KeyCurveId), 'KeyCurveId', action],
    detail: `curve-unsupported: no TLS client takes a server certificate on ${KeyCurveId}`,
    related: ['#/KeyCurveId'],
  });
}

/**
 * What the reply to a CSR of a server says of the curve of its key.
 * @param key as the client gave it
 * @param served the key in service, for a CSR that asks for no other
 */
export function curveInfo(
  { endpoint }: CertificateCollection,
  key: KeyParameters,
  served?: KeyObject,
): readonly CertificateMessage[] {
  // Each name of RSA has these letters, as TPM_ALG_RSASSA
  const isRsa = (key.KeyPairAlgorithm || impliedAlgorithm(key)).includes('RSA');
  const curve = isRsa ? undefined : key.KeyCurveId || served?.asymmetricKeyDetails?.namedCurve;
  const isRefused = curve !== undefined && curveByName(curve) === 'secp521r1';
  if (endpoint.type !== 'server' || !isRefused) return [];
  return [{ id: 'CurveRefusedByBrowsers', args: [curve] }];
}
