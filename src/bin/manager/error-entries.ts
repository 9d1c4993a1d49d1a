import type { ErrorEntry } from '../../dbus/peers/error-log.ts';
import { invalidCertificate } from '../../dbus/server/error-names.ts';
import type { EndpointDefinition } from '../../manager/endpoint-definition.ts';
import type { EndpointEvent } from '../../manager/endpoint-event.ts';
import { endpointLabel } from '../../metrics/endpoint-label.ts';
import { colonHex } from '../../x509/colon-hex.ts';

/** What phosphor-logging is told of an event, in the words of upstream (REASON of its metadata); nothing of most. */
export function errorEntryOf(
  definition: EndpointDefinition,
  event: EndpointEvent,
): ErrorEntry | undefined {
  const ENDPOINT = endpointLabel(definition);
  const entry = (data: ErrorEntry['data']) => ({
    message: invalidCertificate,
    data: { ENDPOINT, ...data },
  });
  if (event.kind === 'damaged') {
    const REASON = `Existing certificate file is corrupted: ${event.reason}`;
    return entry({ REASON, PATH: event.path });
  }
  if (event.kind !== 'expiry' || event.threshold === undefined) return undefined;
  if (event.expiry.state !== 'Expired' || isRevocationList(definition)) return undefined;
  const { fingerprint, notAfter } = event.installed.certificate;
  return entry({
    REASON: 'Expired Certificate',
    PATH: definition.path,
    SHA256: colonHex(fingerprint),
    NOT_AFTER: new Date(notAfter * 1000).toISOString(),
  });
}

/** What is revoked may expire. */
function isRevocationList({ type, name }: EndpointDefinition): boolean {
  return type === 'authority' && name === 'revoked';
}
