import type { Certificate } from '../../src/x509/certificate.ts';
import { certsOnly } from '../../src/x509/certs-only.ts';

export const keystore = 'urn:ietf:params:xml:ns:yang:ietf-keystore';
export const truststore = 'urn:ietf:params:xml:ns:yang:ietf-truststore';
export const nc = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"';

export type Attributes = 'merge' | 'replace' | 'create' | 'delete' | 'remove' | undefined;

/** `nc:operation` of an element; nothing without one. */
export function op(operation: Attributes): string {
  return operation === undefined ? '' : ` ${nc} nc:operation="${operation}"`;
}

/** cert-data with these certificates. */
export function cms(...certificates: readonly Certificate[]): string {
  return certsOnly(certificates.map(({ der }) => der)).toString('base64');
}

export function bare({ der }: Certificate): string {
  return der.toString('base64');
}

/** A certificate of a key or a bag. */
export function certificate(name: string, data: string, operation?: Attributes): string {
  const inside = data === '' ? '' : `<cert-data>${data}</cert-data>`;
  return `<certificate${op(operation)}><name>${name}</name>${inside}</certificate>`;
}

/** A bag, with what is inside of it. */
export function bag(name: string, inside = '', operation?: Attributes): string {
  return `<certificate-bag${op(operation)}><name>${name}</name>${inside}</certificate-bag>`;
}

export function bags(...inside: readonly string[]): string {
  return `<truststore xmlns="${truststore}"><certificate-bags>${inside.join('')}</certificate-bags></truststore>`;
}

/** A key; its certificates are in a container of their own. */
export function key(name: string, certificates = '', operation?: Attributes, more = ''): string {
  const inside = certificates === '' ? '' : `<certificates>${certificates}</certificates>`;
  return `<asymmetric-key${op(operation)}><name>${name}</name>${more}${inside}</asymmetric-key>`;
}

export function keys(...inside: readonly string[]): string {
  return `<keystore xmlns="${keystore}"><asymmetric-keys>${inside.join('')}</asymmetric-keys></keystore>`;
}
