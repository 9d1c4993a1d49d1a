import { Asn1Error, childrenOf, readDer } from '../asn1/element.ts';

/** What names a certificate to others (RFC 5652 §10.2.4), as slices of it. @throws Asn1Error */
export function issuerAndSerial({ der }: { readonly der: Buffer }) {
  const [tbs] = childrenOf(readDer(der));
  const fields = tbs ? childrenOf(tbs) : [];
  // The version comes first where there is one (RFC 5280 §4.1)
  const [serial, , issuer] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  if (!serial || !issuer) throw new Asn1Error('a certificate lacks its issuer');
  return { issuer: issuer.der, serialNumber: serial.content };
}
