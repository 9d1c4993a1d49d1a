import { isHostName } from '../../x509/general-names.ts';
import type { Bus, Signal } from '../transport/bus.ts';
import { askDaemon, followOwner } from '../transport/bus-driver.ts';

/** Who announces a new name of the host: OpenBMC's network manager, and systemd. */
const sources = [
  {
    owner: 'xyz.openbmc_project.Network',
    path: '/xyz/openbmc_project/network/config',
    interface: 'xyz.openbmc_project.Network.SystemConfiguration',
    property: 'HostName',
  },
  {
    owner: 'org.freedesktop.hostname1',
    path: '/org/freedesktop/hostname1',
    interface: 'org.freedesktop.hostname1',
    property: 'Hostname',
  },
] as const;

/**
 * Follows the name of the host. The announcement may come before the kernel has the name, so it counts
 * until the kernel's changes too.
 * @param kernelName the name that the kernel has now
 * @param changed called at each announcement of another name
 * @returns what the host is called now
 */
export async function watchHostName(
  bus: Bus,
  kernelName: () => string,
  changed: () => void,
): Promise<() => string> {
  let announced: { name: string; kernel: string } | undefined;
  const owners = new Map<string, string>();
  for (const { owner, path, interface: name } of sources) {
    await followOwner(bus, owner, (connection) => owners.set(owner, connection));
    const signal = "type='signal',interface='org.freedesktop.DBus.Properties'";
    const rule = `${signal},member='PropertiesChanged',path='${path}',arg0='${name}'`;
    await askDaemon(bus, 'AddMatch', rule);
  }
  const current = () => {
    const kernel = kernelName();
    return announced && announced.kernel === kernel ? announced.name : kernel;
  };
  bus.onSignal((signal) => {
    const found = announcement(signal);
    // Every program may send signals on a system bus
    if (!found || owners.get(found.owner) !== signal.sender) return;
    const { name } = found;
    if (name === current()) return;
    announced = { name, kernel: kernelName() };
    changed();
  });
  return current;
}

function announcement({ path, member, body }: Signal): { owner: string; name: string } | undefined {
  const source = sources.find((one) => one.path === path && one.interface === body[0]);
  if (!source || member !== 'PropertiesChanged') return undefined;
  // The body is whatever the sender likes
  const value: unknown = Reflect.get(Object(body[1]), source.property);
  const name: unknown = Reflect.get(Object(value), 'value');
  // It goes into a certificate: what is no host name must not get there
  return typeof name === 'string' && isHostName(name) ? { owner: source.owner, name } : undefined;
}
