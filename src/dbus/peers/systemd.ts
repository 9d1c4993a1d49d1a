import { CertError } from '../../core/cert-error.ts';
import type { Bus } from '../transport/bus.ts';
import { askDaemon } from '../transport/bus-driver.ts';

const name = 'org.freedesktop.systemd1';
const manager = {
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;

/**
 * Has systemd reload a unit, or restart one that cannot reload, as upstream does; but starts none that is stopped or
 * not installed, which reads the files when it starts. Upstream takes the reply for the end; it only says which job
 * will do it, and whether the unit was reloaded shows when that ends.
 * @param timeout milliseconds for all of it
 * @throws what the bus throws, and Error when the job did not end well or not in time
 */
export async function reloadUnit(
  bus: Bus,
  unit: string,
  timeout: number,
): Promise<'reloaded' | 'not-running'> {
  // A systemd that does not say takes the order nevertheless, for which time is left
  const state = await unitProperty(bus, unit, 'ActiveState', timeout / 4).catch(() => undefined);
  if (state === 'inactive' || state === 'deactivating') return 'not-running';
  const rule = `type='signal',sender='${name}',path='${manager.path}',interface='${manager.interface}',member='JobRemoved'`;
  // Only meanwhile: systemd tells of every job of every unit
  await askDaemon(bus, 'AddMatch', rule);
  try {
    const owner = await askDaemon(bus, 'GetNameOwner', name);
    await runJob(bus, String(owner), unit, timeout);
    return 'reloaded';
  } finally {
    askDaemon(bus, 'RemoveMatch', rule).catch(() => undefined);
  }
}

/**
 * A state of a unit: LoadState, such as `loaded` or `not-found`, or ActiveState. A unit that is not installed is
 * `inactive`.
 * @param timeout milliseconds for each of the two calls
 * @returns `undefined` where there is no systemd
 */
export async function unitProperty(
  bus: Bus,
  unit: string,
  property: 'LoadState' | 'ActiveState',
  timeout: number,
): Promise<string | undefined> {
  try {
    const [path] = await bus.call({
      ...{ ...manager, destination: name, timeout },
      ...{ member: 'LoadUnit', signature: 's', body: [unit] },
    });
    const [state] = await bus.call({
      ...{ destination: name, path: String(path), timeout },
      ...{ interface: 'org.freedesktop.DBus.Properties', member: 'Get', signature: 'ss' },
      body: ['org.freedesktop.systemd1.Unit', property],
    });
    return typeof state === 'object' && state !== null && 'value' in state
      ? String(state.value)
      : undefined;
  } catch (error) {
    if (error instanceof CertError && error.code === 'unavailable') return undefined;
    throw error;
  }
}

function runJob(bus: Bus, systemd: string, unit: string, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let job: unknown;
    const end = (failure?: unknown) => {
      clearTimeout(timer);
      stopListening();
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const timer = setTimeout(() => end(new Error('the job did not end in time')), timeout);
    const stopListening = bus.onSignal(({ sender, member, body }) => {
      const [, removed, , result] = body;
      // Every program may send signals on a system bus
      if (sender !== systemd || member !== 'JobRemoved') return;
      if (job === undefined || removed !== job) return;
      end(result === 'done' ? undefined : new Error(`the job ended as ${String(result)}`));
    });
    const to = { destination: systemd, timeout };
    // It sends signals only to a connection that asked for them, and refuses a second request
    bus.call({ ...manager, ...to, member: 'Subscribe' }).catch(() => undefined);
    bus
      .call({
        ...manager,
        ...to,
        member: 'ReloadOrRestartUnit',
        signature: 'ss',
        body: [unit, 'replace'],
        // The job may have ended by the time that the promise settles
        arrived: ([path]) => {
          job = path;
          if (typeof path !== 'string') end(new Error('the reply names no job'));
        },
      })
      .catch(end);
  });
}
