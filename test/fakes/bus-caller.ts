import { type Bus, connectBus } from '../../src/dbus/transport/bus.ts';
import { maxMilliseconds, until } from '../e2e/commands.ts';

/** A caller with a connection of its own, for calls that the tools of a shell cannot make. */
export interface BusCaller {
  readonly bus: Bus;
  call(
    path: string,
    method: string,
    signature: string,
    ...body: readonly unknown[]
  ): Promise<unknown>;
  /** The signals of one member that came so far, each with its path and body. */
  signals(member: string): readonly { path: string; body: readonly unknown[] }[];
  leave(): void;
}

/** @param destination the name that calls go to */
export async function busCaller(address: string, destination: string): Promise<BusCaller> {
  const bus = await connectBus(address);
  const seen: { member: string; path: string; body: readonly unknown[] }[] = [];
  bus.onSignal(({ member, path, body }) => seen.push({ member, path, body }));
  await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'AddMatch',
    signature: 's',
    body: [`type='signal',sender='${destination}'`],
  });
  return {
    bus,
    async call(path, method, signature, ...body) {
      const dot = method.lastIndexOf('.');
      const [name, member] = [method.slice(0, dot), method.slice(dot + 1)];
      const target = { destination, path, interface: name, member };
      const reply = await bus.call({ ...target, signature, body, timeout: maxMilliseconds });
      return reply[0];
    },
    signals: (member) => seen.filter((one) => one.member === member),
    leave: () => bus.close(),
  };
}

/** Waits, on one connection instead of with a program for each look, until the last CSR that was begun is made. */
export async function csrAppears(address: string, destination: string, path: string) {
  const bus = await connectBus(address);
  const call = { destination, path, member: 'Introspect', signature: '', body: [] };
  try {
    await until('the CSR is there', async () => {
      const [xml] = await bus.call({ ...call, interface: 'org.freedesktop.DBus.Introspectable' });
      return String(xml).includes('<node name="csr"/>');
    });
  } finally {
    bus.close();
  }
}
