import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { nameLookup } from '../../outbound/name-lookup.ts';
import { sendRequest } from '../../outbound/request.ts';
import { RequestDeferred } from '../../outbound/request-deferred.ts';
import { renderEvent } from './event-record.ts';
import type { EventSettings } from './event-settings.ts';
import type { PushOptions } from './push-subscriptions.ts';

/**
 * Delivers events by POST; only the status of an answer counts.
 * @returns `send` of the subscriptions, which throws RequestDeferred when the manager cannot say whom to trust
 */
export function eventDelivery(
  client: CertificateClient,
  settings: EventSettings,
): PushOptions['send'] {
  const limits = { ...settings, milliseconds: settings.deliverySeconds * 1000 };
  const lookUp = nameLookup();
  return async ({ Destination, HttpHeaders, VerifyCertificate, Context }, event, signal) => {
    const url = new URL(Destination);
    const isChecked = VerifyCertificate && url.protocol === 'https:';
    const request = {
      ...{ method: 'POST', url, body: JSON.stringify(renderEvent(event, Context)) },
      headers: {
        ...Object.assign({}, ...HttpHeaders),
        'Content-Type': 'application/json;charset=utf-8',
        'OData-Version': '4.0',
      },
      ...(isChecked && { authorities: trustedAuthorities(client) }),
    };
    const { status } = await sendRequest(request, limits, lookUp, signal);
    if (status < 200 || status > 299) throw new Error(`it answered with status ${status}`);
  };
}

function trustedAuthorities(client: CertificateClient): readonly string[] {
  try {
    const list = client.list({ type: 'authority', name: 'truststore' });
    return list.map(({ certificate }) => certificate.pem);
  } catch (cause) {
    const isAway =
      cause instanceof CertError && (cause.code === 'unavailable' || cause.code === 'no-answer');
    throw isAway ? new RequestDeferred(reasonOf(cause), { cause }) : cause;
  }
}
