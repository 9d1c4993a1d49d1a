import { userInfo } from 'node:os';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { busName, busNamespace, type EndpointName } from '../certs/endpoint-names.ts';
import type { Bus } from './bus.ts';
import { busDaemon, nameHasOwner } from './bus-driver.ts';

/** DBUS_REQUEST_NAME_FLAG_DO_NOT_QUEUE, and the replies for having become the owner, and for being it already. */
const doNotQueue = 4;
const mayQueue = 0;
const primaryOwner = 1;
const alreadyOwner = 4;

/** Takes a well-known name. @throws Error when another process has it */
export async function requestName(bus: Bus, name: string): Promise<void> {
  const reply = await askForName(bus, name, doNotQueue);
  if (reply !== primaryOwner && reply !== alreadyOwner) throw taken(name);
}

/** Gives a name up, or the place in its queue; one that is not ours stays as it is. */
export async function releaseName(bus: Bus, name: string): Promise<void> {
  await bus.call({ ...busDaemon, member: 'ReleaseName', signature: 's', body: [name] });
}

/**
 * Makes the connection another owner of the name that all endpoints share. A rule of the bus's policy about a name
 * counts for each connection that waits in the queue for the name, too (dbus-daemon(1), "send_destination"), under
 * dbus-daemon and dbus-broker. So the policy needs no line for each endpoint.
 * @param log where a refusal is said
 */
export async function shareName(bus: Bus, log?: Log): Promise<void> {
  await askForName(bus, busNamespace, mayQueue).catch((error: unknown) => {
    if (!(error instanceof CertError)) throw error;
    // The policy names each endpoint, as one for upstream's manager does
    log?.warn('the name that all endpoints share is not ours', {
      name: busNamespace,
      reason: reasonOf(error),
    });
  });
}

/** @throws CertError `access-denied` that names the line which the policy of the bus lacks */
async function askForName(bus: Bus, name: string, flags: number): Promise<unknown> {
  const call = { ...busDaemon, member: 'RequestName', signature: 'su', body: [name, flags] };
  const [reply] = await bus.call(call).catch((cause: unknown) => {
    if (!(cause instanceof CertError) || cause.code !== 'access-denied') throw cause;
    const user = ownUser();
    // One line for all endpoints, in quotes that the log need not escape
    const prefix = name.startsWith(`${busNamespace}.`) ? busNamespace : name;
    const line = `<policy user='${user}'><allow own_prefix='${prefix}'/></policy>`;
    const message = `the policy of the bus does not let ${user} own ${name}; add ${line} to a <busconfig> in /etc/dbus-1/system.d/, then systemctl reload dbus`;
    throw new CertError('access-denied', message, { cause });
  });
  return reply;
}

/** By name where it has one: a policy takes numbers, too. */
function ownUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/**
 * Keeps every other manager on this bus from the files of these endpoints, from before they are touched
 * until the connection ends: what a second one takes for left over, the first one may be at. The names of
 * the endpoints cannot do that, since they are taken last, when everything is there.
 * @throws Error when another process has one of them, or serves an endpoint without
 */
export async function claimFiles(
  bus: Bus,
  endpoints: readonly EndpointName[],
  log: Log,
): Promise<void> {
  // One after another: of two managers that start at once, one gets the first name and then all of them
  for (const endpoint of endpoints) {
    const name = busName(endpoint);
    await requestName(bus, `${name}.Files`).catch((error: unknown) => {
      if (!(error instanceof CertError)) throw error;
      // A policy of before this name; the endpoint's own is looked at all the same
      log.warn('the files are not kept from other managers', { name, reason: reasonOf(error) });
    });
    if (await nameHasOwner(bus, name)) throw taken(name);
  }
}

/** Lets other managers have the files of these endpoints. */
export async function releaseFiles(bus: Bus, endpoints: readonly EndpointName[]): Promise<void> {
  for (const endpoint of endpoints) await releaseName(bus, `${busName(endpoint)}.Files`);
}

function taken(name: string): Error {
  return new Error(`the bus name ${name} belongs to another process`);
}
