import type { Bus } from './bus.ts';

/** The bus itself, as an object (D-Bus Specification, "Message Bus Messages"). */
export const busDaemon = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

/** Calls a listener with the unique name of each connection that ends. */
export type Departures = (gone: (name: string) => void) => void;

export async function watchDepartures(bus: Bus): Promise<Departures> {
  await bus.call({
    ...busDaemon,
    member: 'AddMatch',
    signature: 's',
    body: ["type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"],
  });
  return (gone) => {
    bus.onSignal(({ sender, member, body }) => {
      if (sender === 'org.freedesktop.DBus' && member === 'NameOwnerChanged') gone(String(body[0]));
    });
  };
}

export async function isPresent(bus: Bus, name: string): Promise<boolean> {
  const [present] = await bus.call({
    ...busDaemon,
    member: 'NameHasOwner',
    signature: 's',
    body: [name],
  });
  return present === true;
}
