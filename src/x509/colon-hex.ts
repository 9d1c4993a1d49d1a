/** `AB:CD:…`, as OpenSSL prints fingerprints and as Redfish has them and serial numbers. */
export function colonHex(hex: string): string {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return (even.toUpperCase().match(/../g) ?? []).join(':');
}
