import { statSync } from 'node:fs';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import type { Bus } from './bus.ts';
import { nameHasOwner } from './bus-driver.ts';
import { requestName } from './bus-name.ts';
import { ReconnectingBus } from './reconnecting-bus.ts';

export interface StateClaimOptions {
  readonly busAddress: string;
  /** A directory that is there. */
  readonly directory: string;
  readonly log: Log;
  /** Told when another service has the directory, which it took while the bus was away. */
  lost(error: SetupError): void;
}

/** What the policy of the bus lets the Redfish service own. */
const prefix = 'xyz.openbmc_project.Certs.Redfish';

/**
 * Keeps every other Redfish service on this bus from the files of a state directory, from before they are touched
 * until this service ends: what a second service takes for left over, the first one may be writing. The bus
 * takes the name away with the connection, however that ends. While the bus is away, the service goes on
 * without the name, and asks for it again when the bus is back.
 * @returns how to give the directory back
 * @throws SetupError when another service has the directory
 */
export async function claimState(options: StateClaimOptions): Promise<() => void> {
  const { busAddress, directory, log } = options;
  const taken = new SetupError(
    `The state directory ${directory} belongs to another Redfish service.`,
  );
  let isTaken = false;
  let tell = () => {
    isTaken = true;
  };
  const connection = new ReconnectingBus({
    busAddress,
    log,
    async begin(bus) {
      if (!(await takeName(bus, stateName(directory), log))) tell();
    },
    ended: () => undefined,
  });
  await connection.start();
  if (isTaken) {
    connection.close();
    throw taken;
  }
  tell = () => options.lost(taken);
  return () => connection.close();
}

/** The same for every path that leads to the directory. */
function stateName(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${prefix}.Directory_${dev}_${ino}`;
}

/** @returns whether no other service has the name */
async function takeName(bus: Bus, name: string, log: Log): Promise<boolean> {
  try {
    await requestName(bus, name);
    return true;
  } catch (error) {
    if (await nameHasOwner(bus, name)) return false;
    if (!(error instanceof CertError)) throw error;
    // The policy of the bus is from before this name
    log.warn('the state directory is not kept from other services', {
      name,
      reason: reasonOf(error),
    });
    return true;
  }
}
