import { CertError } from '../manager/errors.ts';
import type { Bus } from './bus.ts';
import { busDaemon, type Departures } from './callers.ts';
import type { TypedValue } from './interface.ts';

/** Who may call methods that change something; numbers of the system's users and groups. */
export interface AccessPolicy {
  readonly users: readonly number[];
  readonly groups: readonly number[];
}

/**
 * @returns the number of the caller's user, `undefined` when the bus does not know it
 * @throws CertError `access-denied` when the policy does not name the caller
 */
export type Gate = (sender: string) => Promise<number | undefined>;

interface Credentials {
  readonly user: number | undefined;
  readonly groups: readonly number[];
}

/**
 * Checks callers by the credentials that the bus itself knows of their connections. They cannot change
 * during the life of a connection, and unique names are never given out twice, so they are kept until
 * the connection ends.
 */
export function makeGate(bus: Bus, departures: Departures, policy: AccessPolicy): Gate {
  const known = new Map<string, Promise<Credentials>>();
  departures((name) => known.delete(name));
  return async (sender) => {
    const asked = known.get(sender) ?? askCredentials(bus, sender);
    known.set(sender, asked);
    const { user, groups } = await asked.catch((error: unknown) => {
      known.delete(sender);
      throw new CertError('access-denied', 'the caller is unknown to the bus', { cause: error });
    });
    const allowed =
      (user !== undefined && policy.users.includes(user)) ||
      groups.some((group) => policy.groups.includes(group));
    if (!allowed) {
      throw new CertError('access-denied', `user ${user ?? 'unknown'} may not change certificates`);
    }
    return user;
  };
}

async function askCredentials(bus: Bus, sender: string): Promise<Credentials> {
  const [reply] = await bus.call({
    ...busDaemon,
    member: 'GetConnectionCredentials',
    signature: 's',
    body: [sender],
  });
  const fields = reply as Readonly<Record<string, TypedValue | undefined>>;
  const user = fields.UnixUserID?.value;
  const groups = fields.UnixGroupIDs?.value;
  return {
    user: typeof user === 'number' ? user : undefined,
    groups: Array.isArray(groups) ? groups.map(Number) : [],
  };
}
