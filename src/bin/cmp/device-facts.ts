import { hostname, networkInterfaces } from 'node:os';
import type { DeviceFacts } from '../../cmp/subject.ts';
import { readRegularFileSync } from '../../storage/regular-file.ts';

/** What the device is now, at each look. */
export const deviceFacts: DeviceFacts = {
  get hostname() {
    return hostname();
  },
  get serial() {
    return deviceSerial();
  },
  addresses: (name) =>
    (networkInterfaces()[name] ?? [])
      .filter(({ address, internal }) => !internal && !address.startsWith('fe80:'))
      .map(({ address }) => address),
};

/** Of a device tree, or of SMBIOS, which root alone may read. */
function deviceSerial(): string | undefined {
  for (const path of [
    '/sys/firmware/devicetree/base/serial-number',
    '/sys/class/dmi/id/product_serial',
  ]) {
    try {
      const serial = readRegularFileSync(path).replace(/\0/g, '').trim();
      if (serial !== '') return serial;
    } catch {
      // The next one
    }
  }
  return undefined;
}
