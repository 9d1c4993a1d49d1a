import { type MapType, mapTypes } from '../../src/identity/peer-certificates/map-types.ts';
import { type Certificate, readCertificate } from '../../src/x509/certificate.ts';
import {
  type Asn1,
  contextConstructed,
  contextPrimitive,
  encode,
  sequence,
} from '../../src/x509/der.ts';
import { extensionIds } from '../../src/x509/oids.ts';
import { forgeCertificate, nameOf } from './forged-certificate.ts';

/** The name that a map type finds, or the code of the reason why it finds none. */
export function mappedName(mapType: MapType, certificate: Certificate, specified?: string): string {
  const context = { hostName: () => 'bmc.example.com', ownerOf: () => undefined };
  const derived = mapTypes[mapType].nameOf(certificate, context, specified);
  return 'name' in derived ? `name ${derived.name}` : derived.refusal;
}

export const commonNameId = '2.5.4.3';

/** A name of nothing but common names. */
export const commonNames = (...values: readonly Asn1[]) =>
  nameOf(...values.map((value) => [commonNameId, value] as const));

export const withSubject = (...values: readonly Asn1[]) =>
  readCertificate(forgeCertificate({ subject: commonNames(...values) }));

export const alternativeNames = (...names: readonly Asn1[]) => ({
  id: extensionIds.subjectAltName,
  critical: false,
  value: encode(sequence(...names)),
});

export const withNames = (...names: readonly Asn1[]) =>
  readCertificate(forgeCertificate({ extensions: [alternativeNames(...names)] }));

/** Alternative names of any bytes. */
export const mail = (text: string) => contextPrimitive(1, Buffer.from(text, 'latin1'));
export const dns = (text: string) => contextPrimitive(2, Buffer.from(text, 'latin1'));
export const directory = (...names: readonly Asn1[]) => contextConstructed(4, ...names);
export const uri = (text: string) => contextPrimitive(6, Buffer.from(text, 'latin1'));
export const ip = (...octets: readonly number[]) => contextPrimitive(7, Buffer.from(octets));
