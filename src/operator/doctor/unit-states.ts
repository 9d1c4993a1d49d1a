import { unitProperty } from '../../dbus/peers/systemd.ts';
import { type Bus, connectBus } from '../../dbus/transport/bus.ts';

/** What systemd has of a unit; `undefined` without a systemd. */
type UnitState = (unit: string) => Promise<string | undefined>;

const timeout = 5000;

/** Connects to the bus when the first unit is asked for, and ends the connection after the work. */
export async function withUnitStates<T>(
  busAddress: string,
  work: (unitState: UnitState) => Promise<T>,
): Promise<T> {
  let bus: Promise<Bus> | undefined;
  try {
    return await work(async (unit) => {
      bus ??= connectBus(busAddress);
      return unitProperty(await bus, unit, 'LoadState', timeout);
    });
  } finally {
    (await bus?.catch(() => undefined))?.close();
  }
}
