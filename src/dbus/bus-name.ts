import type { Bus } from './bus.ts';
import { busDaemon } from './callers.ts';

/** DBUS_REQUEST_NAME_FLAG_DO_NOT_QUEUE, and the reply for having become the owner. */
const doNotQueue = 4;
const primaryOwner = 1;

/** Takes a well-known name. @throws Error when another process has it */
export async function requestName(bus: Bus, name: string): Promise<void> {
  const [reply] = await bus.call({
    ...busDaemon,
    member: 'RequestName',
    signature: 'su',
    body: [name, doNotQueue],
  });
  if (reply !== primaryOwner) throw new Error(`the bus name ${name} belongs to another process`);
}
