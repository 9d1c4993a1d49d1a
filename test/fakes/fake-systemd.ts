import { type Bus, type Call, connectBus } from '../../src/dbus/transport/bus.ts';

/** A service manager on a private bus that notes what it is asked. */
export interface FakeSystemd {
  /** The arguments of every ReloadOrRestartUnit, in order. */
  readonly asked: readonly (readonly unknown[])[];
  /** The connection that the last of them came from. */
  readonly asker: string;
  /** What it does with calls from now on. */
  behave(how: Behaviour): void;
  /** Gives up its name as a crash does. */
  leave(): void;
}

/** It refuses calls with `fail` and never answers them with `hang`; with the last two it does so with their jobs. */
export type Behaviour = 'obey' | 'fail' | 'hang' | 'fail the job' | 'never end the job';

/** @param units those that it has, with their LoadState */
export async function startFakeSystemd(
  address: string,
  units: Readonly<Record<string, string>> = {},
): Promise<FakeSystemd> {
  const bus = await connectBus(address);
  const asked: (readonly unknown[])[] = [];
  let behaviour: Behaviour = 'obey';
  let asker = '';
  const jobs = jobsOf(bus);
  bus.handleCalls((call) => {
    if (call.member === 'Subscribe') jobs.subscribe(call);
    if (call.member === 'LoadUnit') call.answer('o', [pathOf(String(call.body[0]), units)]);
    if (call.member === 'Get') {
      const state = call.path.slice(call.path.lastIndexOf('/') + 1).replace('_', '-');
      call.answer('v', [{ signature: 's', value: state }]);
    }
    if (call.member !== 'ReloadOrRestartUnit') return;
    asked.push(call.body);
    asker = call.sender;
    answer(call, behaviour, jobs);
  });
  await requestName(bus, 'org.freedesktop.systemd1');
  return {
    asked,
    get asker() {
      return asker;
    },
    behave(how) {
      behaviour = how;
    },
    leave: () => bus.close(),
  };
}

/** LoadUnit has an object for what there is not, too; here its last part is the state. */
function pathOf(unit: string, units: Readonly<Record<string, string>>): string {
  const state = units[unit] ?? 'not-found';
  return `/org/freedesktop/systemd1/unit/${state.replace('-', '_')}`;
}

/** The jobs of a systemd, which tells of their ends only when somebody asked for that. */
export interface Jobs {
  subscribe(call: Call): void;
  /** @param result without one it never ends */
  begin(call: Call, result?: string): void;
}

export function jobsOf(bus: Bus): Jobs {
  const subscribers = new Set<string>();
  let last = 0;
  return {
    subscribe(call) {
      const text = 'Client is already subscribed.';
      if (!subscribers.has(call.sender)) call.answer('', []);
      else call.fail({ name: 'org.freedesktop.systemd1.AlreadySubscribed', text });
      subscribers.add(call.sender);
    },
    begin(call, result) {
      last += 1;
      const path = `/org/freedesktop/systemd1/job/${last}`;
      call.answer('o', [path]);
      if (result === undefined || subscribers.size === 0) return;
      const body = [last, path, String(call.body[0]), result];
      const from = '/org/freedesktop/systemd1';
      bus.signal(from, 'org.freedesktop.systemd1.Manager', 'JobRemoved', 'uoss', body);
    },
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

function answer(call: Call, behaviour: Behaviour, jobs: Jobs): void {
  if (behaviour === 'obey') jobs.begin(call, 'done');
  if (behaviour === 'fail the job') jobs.begin(call, 'failed');
  if (behaviour === 'never end the job') jobs.begin(call);
  if (behaviour !== 'fail') return;
  const text = `Unit ${String(call.body[0])} not found.`;
  call.fail({ name: 'org.freedesktop.systemd1.NoSuchUnit', text });
}
