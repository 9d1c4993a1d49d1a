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
      onOwnerChange(bus, (name, owner) => {
        if (owner === '') listener(name);
      });
    },
  };
  callers.onDisconnect((name) => known.delete(name));
  await askDaemon(bus, 'AddMatch', `${ownerChanges},arg2=''`);
  return callers;
}

/**
 * Follows which connection owns a name. It watches the name first and asks for its owner after, so that no change slips
 * through.
 * @param told the unique name of the connection, empty when the name has no owner any more
 */
export async function followOwner(
  bus: Bus,
  name: string,
  told: (owner: string) => void,
): Promise<void> {
  let isTold = false;
  onOwnerChange(bus, (changed, owner) => {
    if (changed !== name) return;
    isTold = true;
    told(owner);
  });
  await askDaemon(bus, 'AddMatch', `${ownerChanges},arg0='${name}'`);
  const owner = await askDaemon(bus, 'GetNameOwner', name).catch(() => undefined);
  // A signal that came with the reply is newer than it, and was heard before it
  if (!isTold && typeof owner === 'string') told(owner);
}

export async function nameHasOwner(bus: Bus, name: string): Promise<boolean> {
  return (await askDaemon(bus, 'NameHasOwner', name)) === true;
}

/** What a method of the bus that takes one string answers. */
export async function askDaemon(bus: Bus, member: string, argument: string): Promise<unknown> {
  const [answer] = await bus.call({ ...busDaemon, member, signature: 's', body: [argument] });
  return answer;
}

const ownerChanges = `type='signal',sender='${busDaemon.destination}',member='NameOwnerChanged'`;

function onOwnerChange(bus: Bus, told: (name: string, owner: string) => void): void {
  bus.onSignal(({ sender, member, body }) => {
    if (sender !== busDaemon.destination || member !== 'NameOwnerChanged') return;
    const [name = '', , owner = ''] = body.map(String);
    told(name, owner);
  });
}

async function askCredentials(bus: Bus, sender: string): Promise<Credentials> {
  const reply = await askDaemon(bus, 'GetConnectionCredentials', sender);
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
