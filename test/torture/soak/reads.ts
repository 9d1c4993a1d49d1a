import { setTimeout as sleep } from 'node:timers/promises';
import type { BusDoor } from './bus-door.ts';
import type { Answer, HttpsClient } from './https-client.ts';
import { logIn } from './logins.ts';
import { type Ask, incoherence } from './redfish-door.ts';
import { pick, uris, type World } from './world.ts';

/** What a client over HTTPS does that changes no certificate, each held against the model. */
export function readsOf(world: World, ask: Ask, client: HttpsClient, password: string) {
  const { tally, truststore } = world;

  /** Asks, and has the answer judged; nothing is left to judge of what is away by our doing. */
  const read = async (
    kind: string,
    path: string,
    judge: (answer: Answer) => string | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer | undefined> => {
    const began = performance.now();
    try {
      const answer = await ask(path, { headers });
      const isAway = answer === 'away' || answer.status === 503;
      tally.done(`HTTPS ${kind}`, performance.now() - began);
      if (isAway && world.outages.overlap(began, performance.now())) {
        tally.refused(`HTTPS ${kind}`, 'away');
        return undefined;
      }
      const fault = answer === 'away' ? 'it is away' : judge(answer);
      if (fault !== undefined) tally.fault(`HTTPS ${kind}: ${fault}`);
      return answer === 'away' ? undefined : answer;
    } catch (error) {
      tally.fault(`HTTPS ${kind}: ${String(error)}`);
      return undefined;
    }
  };

  const certificate = (at: 'https' | 'ldap') =>
    read(`read ${at}`, `${uris[at]}/1`, ({ status, text, began, ended }) => {
      if (status === 404) world[at].read('service', undefined, began, ended);
      if (status === 404 && at === 'ldap') return undefined;
      if (status !== 200) return `${status} ${text}`;
      const body = JSON.parse(text);
      world[at].read('service', body.Fingerprint, began, ended);
      return incoherence(body);
    });

  return {
    server: () => certificate('https'),
    client: () => certificate('ldap'),

    async authorities() {
      const known = truststore.present;
      await read('expand', `${uris.truststore}?$expand=.`, ({ status, text, began, ended }) => {
        if (status !== 200) return `${status} ${text}`;
        const { Members: members, 'Members@odata.count': count } = JSON.parse(text);
        if (members.length !== count) return `${count} members are ${members.length}`;
        const present = new Set<string>();
        for (const { Id: id, Fingerprint: value } of members) {
          present.add(id);
          truststore.read('service', id, value, began, ended);
        }
        if (present.size !== count) return 'an id is there twice';
        for (const id of known)
          if (!present.has(id)) truststore.place(id)?.read('service', undefined, began, ended);
        return members.map(incoherence).find((fault: unknown) => fault !== undefined);
      });
    },

    async authority() {
      const id = pick(world, truststore.present);
      if (id === undefined) return;
      await read('read authority', `${uris.truststore}/${id}`, ({ status, text, began, ended }) => {
        if (status === 404) truststore.place(id)?.read('service', undefined, began, ended);
        if (status === 404) return undefined;
        if (status !== 200) return `${status} ${text}`;
        const body = JSON.parse(text);
        truststore.read('service', id, body.Fingerprint, began, ended);
        return incoherence(body);
      });
    },

    /** A known ETag answers 304 only while the same certificate is there. */
    async revalidate() {
      const first = await certificate('https');
      const tag = first?.headers.etag;
      if (first?.status !== 200 || tag === undefined) return;
      const judge = ({ status, text, began, ended }: Answer) => {
        const body = JSON.parse(status === 304 ? first.text : text || '{}');
        if (status !== 200 && status !== 304) return `${status} ${text}`;
        world.https.read('service', body.Fingerprint, began, ended);
        return undefined;
      };
      await read('revalidate', `${uris.https}/1`, judge, { 'If-None-Match': tag });
    },

    async tree() {
      const path = pick(world, [
        '/redfish/v1',
        '/redfish/v1/CertificateService',
        '/redfish/v1/CertificateService/CertificateLocations',
        '/redfish/v1/AccountService',
        '/redfish/v1/TaskService/Tasks',
        '/redfish/v1/EventService/Subscriptions',
        uris.https,
        uris.ldap,
      ]);
      await read('tree', path ?? '/redfish/v1', ({ status, text }) => {
        return status === 200 ? undefined : `${path}: ${status} ${text}`;
      });
    },

    async time() {
      const before = Date.now();
      await read('time', '/redfish/v1/Managers/bmc', ({ status, text }) => {
        if (status !== 200) return `${status} ${text}`;
        const told = Date.parse(JSON.parse(text).DateTime);
        const isSane = told >= before - 1000 && told <= Date.now();
        return isSane ? undefined : `it is told to be ${told}, and is ${Date.now()}`;
      });
    },

    /** Another connection, which is shown the certificate of its moment. */
    async reconnect() {
      client.reconnect();
      await read('new connection', '/redfish/v1', ({ status, text }) => {
        return status === 200 ? undefined : `${status} ${text}`;
      });
    },

    /** A session of one's own, used and ended. */
    async session() {
      const began = performance.now();
      const isOutage = () => world.outages.overlap(began, performance.now());
      try {
        const login = await logIn(client, password);
        tally.done('HTTPS session', performance.now() - began);
        if (!login && !isOutage()) tally.fault('HTTPS session: nobody can log in');
        if (!login) return;
        const { token, uri } = login;
        const steps = [
          [await client.ask(uri, { token }), 200],
          [await client.ask(uri, { method: 'DELETE', token }), 200],
          [await client.ask(uri, { token }), 401],
        ] as const;
        for (const [{ status, text }, expected] of steps) {
          if (status === expected || isOutage()) continue;
          tally.fault(`HTTPS session: ${status} for ${expected}: ${text}`);
        }
      } catch (error) {
        client.reconnect();
        if (!isOutage()) tally.fault(`HTTPS session: ${String(error)}`);
      }
    },

    /** A subscription that is taken back after a while. */
    async subscription() {
      const began = performance.now();
      const isOutage = () => world.outages.overlap(began, performance.now());
      const path = '/redfish/v1/EventService/Subscriptions';
      try {
        const body = {
          Destination: world.receiver,
          Protocol: 'Redfish',
          Context: 'soak',
        };
        const made = await ask(path, { method: 'POST', body });
        tally.done('HTTPS subscription', performance.now() - began);
        if (made === 'away' || made.status !== 201) {
          const text = made === 'away' ? made : `${made.status} ${made.text}`;
          if (!isOutage()) tally.fault(`HTTPS subscription: ${text}`);
          return;
        }
        await sleep(50);
        const gone = await ask(made.headers.location ?? '', { method: 'DELETE' });
        if ((gone === 'away' || gone.status !== 200) && !isOutage())
          tally.fault(`HTTPS subscription: ${gone === 'away' ? gone : gone.text}`);
      } catch (error) {
        tally.fault(`HTTPS subscription: ${String(error)}`);
      }
    },
  };
}

/** What a client on the bus reads. */
export function busReadsOf(world: World, door: BusDoor) {
  const list = async (place: 'https' | 'ldap' | 'truststore') => {
    const began = performance.now();
    const found = await door.list(place);
    const ended = performance.now();
    world.tally.done(`D-Bus list ${place}`, ended - began);
    if (!found) return;
    if (place !== 'truststore') world[place].read('manager', found.get('1'), began, ended);
    else for (const [id, value] of found) world.truststore.read('manager', id, value, began, ended);
  };
  return { server: () => list('https'), client: () => list('ldap'), all: () => list('truststore') };
}
