import { isHostName } from '../../x509/general-names.ts';
import type { Bus, Signal } from '../transport/bus.ts';
import { busDaemon } from '../transport/bus-driver.ts';

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
  const isOwner = await watchOwners(bus);
  for (const { path, interface: name } of sources) {
    await match(
      bus,
      `interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path='${path}',arg0='${name}'`,
    );
  }
  const current = () => {
    const kernel = kernelName();
    return announced && announced.kernel === kernel ? announced.name : kernel;
  };
  bus.onSignal((signal) => {
    const found = announcement(signal);
    // Anybody may send signals on a system bus
    if (!found || !isOwner(found.owner, signal.sender)) return;
    const { name } = found;
    if (name === current()) return;
    announced = { name, kernel: kernelName() };
    changed();
  });
  return current;
}

/**
 * Follows who owns the names of the sources, so that a false announcement costs no question to the bus.
 * @returns whether a connection owns a name
 */
async function watchOwners(bus: Bus): Promise<(name: string, sender: string) => boolean> {
  const owners = new Map<string, string>();
  const names: readonly string[] = sources.map(({ owner }) => owner);
  bus.onSignal(({ sender, member, body }) => {
    if (sender !== busDaemon.destination || member !== 'NameOwnerChanged') return;
    const [name = '', , owner = ''] = body.map(String);
    if (names.includes(name)) owners.set(name, owner);
  });
  for (const name of names) {
    await match(bus, `sender='${busDaemon.destination}',member='NameOwnerChanged',arg0='${name}'`);
    const call = { ...busDaemon, member: 'GetNameOwner', signature: 's', body: [name] };
    const [owner] = await bus.call(call).catch(() => []);
    // What a signal said meanwhile is newer
    if (typeof owner === 'string' && !owners.has(name)) owners.set(name, owner);
  }
  return (name, sender) => owners.get(name) === sender;
}

async function match(bus: Bus, rule: string): Promise<void> {
  const call = { ...busDaemon, member: 'AddMatch', signature: 's' };
  await bus.call({ ...call, body: [`type='signal',${rule}`] });
}

function announcement({ path, member, body }: Signal): { owner: string; name: string } | undefined {
  const source = sources.find((one) => one.path === path && one.interface === body[0]);
  if (!source || member !== 'PropertiesChanged') return undefined;
  // The body is whatever somebody sent
  const value: unknown = Reflect.get(Object(body[1]), source.property);
  const name: unknown = Reflect.get(Object(value), 'value');
  // It goes into a certificate: what is no host name must not get there
  return typeof name === 'string' && isHostName(name) ? { owner: source.owner, name } : undefined;
}
