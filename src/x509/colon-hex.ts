/** `AB:CD:…`, as OpenSSL prints fingerprints and as Redfish has them and serial numbers. */
export function colonHex(hex: string): string {
  // A serial number may be negative, against RFC 5280 §4.1.2.2
  if (hex.startsWith('-')) return `-${colonHex(hex.slice(1))}`;
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return (even.toUpperCase().match(/../g) ?? []).join(':');
}
