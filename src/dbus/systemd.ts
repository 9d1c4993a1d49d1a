import type { Bus } from './bus.ts';

/** Asks systemd to reload a unit, or to restart one that cannot reload, as upstream does. */
export async function reloadUnit(bus: Bus, unit: string, timeout: number): Promise<void> {
  await bus.call({
    destination: 'org.freedesktop.systemd1',
    path: '/org/freedesktop/systemd1',
    interface: 'org.freedesktop.systemd1.Manager',
    member: 'ReloadOrRestartUnit',
    signature: 'ss',
    body: [unit, 'replace'],
    timeout,
  });
}
