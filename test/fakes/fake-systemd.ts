import { type Bus, type Call, connectBus } from '../../src/dbus/transport/bus.ts';

/** A service manager on a private bus that notes what it is asked. */
export interface FakeSystemd {
  /** The arguments of every ReloadOrRestartUnit, in order. */
  readonly asked: readonly (readonly unknown[])[];
  /** The connection that the last of them came from. */
  readonly asker: string;
  /** What it does with calls from now on. */
  behave(how: Behaviour): void;
  /** Ends the last job of `never end the job`. */
  endJob(): void;
  /** Gives up its name as a crash does. */
  leave(): void;
}

/**
 * It refuses calls with `fail` and never answers them with `hang`, and does so with the first two only when it is asked
 * for the state of a unit; with the last two it does so with the jobs.
 */
export type Behaviour =
  | 'obey'
  | 'tell no state'
  | 'hang when asked for a state'
  | 'fail'
  | 'hang'
  | 'fail the job'
  | 'never end the job';

/** @param units those that it has, with their LoadState, or ActiveState where they are loaded; else it has all, and they run */
export async function startFakeSystemd(
  address: string,
  units?: Readonly<Record<string, string>>,
): Promise<FakeSystemd> {
  const bus = await connectBus(address);
  const asked: (readonly unknown[])[] = [];
  let behaviour: Behaviour = 'obey';
  let asker = '';
  const jobs = jobsOf(bus);
  bus.handleCalls((call) => {
    if (call.member === 'Subscribe') jobs.subscribe(call);
    if (call.member === 'LoadUnit') {
      if (behaviour === 'fail' || behaviour === 'tell no state') call.fail(noSuchUnit(call));
      else if (!behaviour.startsWith('hang')) call.answer('o', [pathOf(call, units)]);
    }
    if (call.member === 'Get') {
      const kept = call.path.slice(call.path.lastIndexOf('/') + 1).replace('_', '-');
      const value = stateOf(kept, String(call.body[1]));
      call.answer('v', [{ signature: 's', value }]);
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
    endJob: () => jobs.end('done'),
    leave: () => bus.close(),
  };
}

/** LoadUnit has an object for what there is not, too; here its last part is the state. */
function pathOf({ body: [unit] }: Call, units?: Readonly<Record<string, string>>): string {
  const state = units ? (units[String(unit)] ?? 'not-found') : 'loaded';
  return `/org/freedesktop/systemd1/unit/${state.replace('-', '_')}`;
}

function stateOf(kept: string, property: string): string {
  const isLoadState = /^(loaded|not-found|masked)$/.test(kept);
  if (property === 'LoadState') return isLoadState ? kept : 'loaded';
  if (kept === 'loaded') return 'active';
  return isLoadState ? 'inactive' : kept;
}

/** The jobs of a systemd, which tells of their ends only when somebody asked for that. */
export interface Jobs {
  subscribe(call: Call): void;
  /** @param result without one it never ends */
  begin(call: Call, result?: string): void;
  /** Ends the last one that was begun. */
  end(result: string): void;
}

export function jobsOf(bus: Bus): Jobs {
  const subscribers = new Set<string>();
  let last = 0;
  let unit = '';
  return {
    subscribe(call) {
      const text = 'Client is already subscribed.';
      if (!subscribers.has(call.sender)) call.answer('', []);
      else call.fail({ name: 'org.freedesktop.systemd1.AlreadySubscribed', text });
      subscribers.add(call.sender);
    },
    begin(call, result) {
      last += 1;
      unit = String(call.body[0]);
      call.answer('o', [`/org/freedesktop/systemd1/job/${last}`]);
      if (result !== undefined) this.end(result);
    },
    end(result) {
      if (subscribers.size === 0) return;
      const body = [last, `/org/freedesktop/systemd1/job/${last}`, unit, result];
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
  if (behaviour === 'obey' || behaviour.endsWith('state')) jobs.begin(call, 'done');
  if (behaviour === 'fail the job') jobs.begin(call, 'failed');
  if (behaviour === 'never end the job') jobs.begin(call);
  if (behaviour === 'fail') call.fail(noSuchUnit(call));
}

function noSuchUnit({ body: [unit] }: Call) {
  const text = `Unit ${String(unit)} not found.`;
  return { name: 'org.freedesktop.systemd1.NoSuchUnit', text };
}
