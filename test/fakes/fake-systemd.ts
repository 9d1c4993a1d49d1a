import { type Bus, type Call, connectBus } from '../../src/dbus/bus.ts';

/** A service manager on a private bus that notes what it is asked. */
export interface FakeSystemd {
  /** The arguments of every ReloadOrRestartUnit, in order. */
  readonly asked: readonly (readonly unknown[])[];
  /** What it does with calls from now on. */
  behave(how: Behaviour): void;
  /** Gives up its name as a crash does. */
  leave(): void;
}

export type Behaviour = 'obey' | 'fail' | 'hang';

export async function startFakeSystemd(address: string): Promise<FakeSystemd> {
  const bus = await connectBus(address);
  const asked: (readonly unknown[])[] = [];
  let behaviour: Behaviour = 'obey';
  bus.handleCalls((call) => {
    if (call.member !== 'ReloadOrRestartUnit') return;
    asked.push(call.body);
    answer(call, behaviour);
  });
  await requestName(bus, 'org.freedesktop.systemd1');
  return {
    asked,
    behave(how) {
      behaviour = how;
    },
    leave: () => bus.close(),
  };
}

/** Takes a well-known name. @throws when another connection has it */
export async function requestName(bus: Bus, name: string): Promise<void> {
  const [reply] = await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'RequestName',
    signature: 'su',
    body: [name, 4],
  });
  if (reply !== 1) throw new Error(`the name ${name} is taken`);
}

function answer(call: Call, behaviour: Behaviour): void {
  if (behaviour === 'obey') call.answer('o', ['/org/freedesktop/systemd1/job/1']);
  if (behaviour !== 'fail') return;
  const text = `Unit ${String(call.body[0])} not found.`;
  call.fail({ name: 'org.freedesktop.systemd1.NoSuchUnit', text });
}
