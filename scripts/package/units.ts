// The units of the Debian package, each with its program in dist/ and its place in the life of the package.

/**
 * `enabled` is started by the installation and by each boot, `disabled` waits until an operator enables it, and `activated`
 * has no [Install]: the bus starts it.
 */
export type UnitState = 'enabled' | 'disabled' | 'activated';

/** In the order in which they start. The helper for PAM is native and for OpenBMC images: its units are not in the package. */
export const units: Readonly<Record<string, UnitState>> = {
  'bmc-certificate-manager.service': 'enabled',
  'bmc-account-manager.service': 'activated',
  'bmc-redfish.service': 'enabled',
  'bmc-cmp.service': 'disabled',
  'bmc-gnoi.service': 'disabled',
  'bmc-bundle.service': 'disabled',
  'bmc-netconf.service': 'disabled',
};

/** @returns their names, with blanks between them */
export function unitsThatAre(...states: readonly UnitState[]): string {
  const names = Object.entries(units).filter(([, state]) => states.includes(state));
  return names.map(([name]) => name).join(' ');
}
