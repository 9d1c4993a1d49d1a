import type { TypedValue } from '../server/interface.ts';
import type { Bus } from './bus.ts';

/** The bus itself, as an object (D-Bus Specification, "Message Bus Messages"). */
export const busDaemon = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

export interface Credentials {
  readonly user: number | undefined;
  /** Number of the process that opened the connection. */
  readonly process: number | undefined;
  readonly groups: readonly number[];
}

/** What the bus knows of the connections from which calls come, by their unique names. */
export interface Callers {
  /** @throws when the bus does not know the name, or does not answer */
  credentials(name: string): Promise<Credentials>;
  isConnected(name: string): Promise<boolean>;
  /** Told the name of each connection that ends. */
  onDisconnect(listener: (name: string) => void): void;
}

/**
 * Credentials cannot change during the life of a connection, and unique names are never given out twice, so
 * they are kept until the connection ends.
 * @param bus a connection that serves no calls: while one that does has enough calls in hand it reads nothing,
 *   and the answers that those calls wait for would wait behind further calls
 */
export async function watchCallers(bus: Bus): Promise<Callers> {
  const known = new Map<string, Promise<Credentials>>();
  const callers: Callers = {
    credentials(name) {
      const asked = known.get(name) ?? askCredentials(bus, name);
      known.set(name, asked);
      return asked.catch((error: unknown) => {
        known.delete(name);
        throw error;
      });
    },
    isConnected: (name) => nameHasOwner(bus, name),
    onDisconnect(listener) {
      bus.onSignal(({ sender, member, body: [name, , owner] }) => {
        if (sender !== busDaemon.destination || member !== 'NameOwnerChanged') return;
        if (owner === '') listener(String(name));
      });
    },
  };
  callers.onDisconnect((name) => known.delete(name));
  const rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";
  await bus.call({ ...busDaemon, member: 'AddMatch', signature: 's', body: [rule] });
  return callers;
}

export async function nameHasOwner(bus: Bus, name: string): Promise<boolean> {
  const call = { ...busDaemon, member: 'NameHasOwner', signature: 's', body: [name] };
  const [hasOwner] = await bus.call(call);
  return hasOwner === true;
}

async function askCredentials(bus: Bus, sender: string): Promise<Credentials> {
  const call = { ...busDaemon, member: 'GetConnectionCredentials', signature: 's', body: [sender] };
  const [reply] = await bus.call(call);
  const fields = reply as Readonly<Record<string, TypedValue | undefined>>;
  const user = fields.UnixUserID?.value;
  const process = fields.ProcessID?.value;
  const groups = fields.UnixGroupIDs?.value;
  return {
    user: typeof user === 'number' ? user : undefined,
    process: typeof process === 'number' ? process : undefined,
    groups: Array.isArray(groups) ? groups.map(Number) : [],
  };
}
