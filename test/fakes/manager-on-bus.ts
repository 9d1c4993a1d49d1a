import { after, before } from 'node:test';
import { type BusTools, busTools } from './bus-tools.ts';
import { type ManagerProcess, startManager } from './manager-process.ts';
import { type PrivateBus, startPrivateBus } from './private-bus.ts';

/** A manager on a bus of its own, while the tests of a suite run. */
export interface ManagerOnBus {
  readonly bus: PrivateBus;
  readonly manager: ManagerProcess;
  readonly tools: BusTools;
}

/**
 * @param destination the name that the tools call
 * @param as the command line that runs the tools as another user
 */
export function managerOnBus(
  destination: string,
  { changes, as }: { readonly changes?: object; readonly as?: readonly string[] } = {},
): ManagerOnBus {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager(bus, changes);
  });
  after(async () => {
    await manager?.stop();
    await bus?.stop();
  });
  return {
    get bus() {
      return bus;
    },
    get manager() {
      return manager;
    },
    get tools() {
      return busTools({ address: bus.address, destination, ...(as && { as }) });
    },
  };
}
