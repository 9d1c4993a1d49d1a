import { setTimeout as sleep } from 'node:timers/promises';
import { type BusDoor, busDoor } from './bus-door.ts';
import { changesOf } from './changes.ts';
import { HttpsClient } from './https-client.ts';
import { Logins } from './logins.ts';
import { busReadsOf, readsOf } from './reads.ts';
import { asker, redfishDoor } from './redfish-door.ts';
import type { World } from './world.ts';

export interface LoadShape {
  readonly url: string;
  readonly bus: string;
  readonly password: string;
  readonly httpsClients: number;
  readonly busClients: number;
  /** Milliseconds between two requests of one client, on average. */
  readonly pause: number;
}

/** Clients that go on until they are told to stop. */
export interface Load {
  /** Resolves when every request has its answer. */
  stop(): Promise<void>;
}

type Mix = readonly (readonly [weight: number, act: () => Promise<unknown>])[];

/** Clients that share a login; a stack has at most so many of one user. */
const clientsPerLogin = 10;

export function startLoad(world: World, shape: LoadShape): Load {
  let stopping = false;
  const served = (value: string, began: number, ended: number) =>
    world.https.read('file', value, began, ended);
  const run = async (mix: Mix) => {
    // Not all at once
    await sleep(world.random() * shape.pause);
    while (!stopping) {
      await choose(world, mix)();
      await sleep(shape.pause * (0.5 + world.random()));
    }
  };
  const logins = Array.from(
    { length: Math.ceil(shape.httpsClients / clientsPerLogin) },
    () => new Logins(shape.password),
  );
  const clients = Array.from({ length: shape.httpsClients }, async (_, at) => {
    const client = new HttpsClient(shape.url, served);
    const login = logins[at % logins.length] ?? new Logins(shape.password);
    const ask = asker(world, client, login);
    const reads = readsOf(world, ask, client, shape.password);
    const changes = changesOf(world, redfishDoor(ask));
    await run([
      ...([
        [14, reads.server],
        [14, reads.client],
        [6, reads.authorities],
        [12, reads.authority],
        [6, reads.revalidate],
        [8, reads.tree],
        [4, reads.time],
        [5, reads.reconnect],
        [1, reads.session],
        [2, reads.subscription],
      ] as const),
      ...mixOf(changes),
    ]);
    client.close();
  });
  const doors = Array.from({ length: shape.busClients }, () => busDoor(world, shape.bus));
  const callers = doors.map(async (door: BusDoor) => {
    const reads = busReadsOf(world, door);
    await run([
      [15, reads.server],
      [15, reads.client],
      [10, reads.all],
      ...mixOf(changesOf(world, door)),
    ]);
    door.leave();
  });
  const all = Promise.all([...clients, ...callers]);
  // It is looked at when the load is stopped; until then it must not end the test
  all.catch(() => undefined);
  return {
    async stop() {
      stopping = true;
      await all;
    },
  };
}

function mixOf(changes: ReturnType<typeof changesOf>): Mix {
  return [
    [5, changes.replaceServer],
    [7, changes.putClient],
    [3, changes.removeClient],
    [6, changes.addAuthority],
    [3, changes.replaceAuthority],
    [6, changes.removeAuthority],
    [1, changes.request],
  ];
}

function choose(world: World, mix: Mix): () => Promise<unknown> {
  let at = world.random() * mix.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, act] of mix) {
    at -= weight;
    if (at < 0) return act;
  }
  return async () => undefined;
}
