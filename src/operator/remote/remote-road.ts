import { CommandError } from '../framework/exit-status.ts';
import type { Road } from '../road.ts';
import { certificateService, extensionOf } from './certificate-service.ts';
import { Connection } from './connection.ts';
import { discover } from './discovery.ts';
import { EndpointCopies } from './endpoint-copies.ts';
import { knownHosts, knownHostsPath } from './known-hosts.ts';
import { PeerTrust } from './peer-trust.ts';
import { remoteAccounts } from './remote-accounts.ts';
import { remoteAdministration } from './remote-administration.ts';
import { remoteClient } from './remote-client.ts';
import {
  type RemoteOptions,
  readAuthorities,
  readCredential,
  readLogin,
  refuseWithoutLogin,
} from './remote-options.ts';
import { followRotation } from './rotation.ts';
import { loggedIn } from './service.ts';
import { sessionsOf } from './session.ts';
import { terminalConfirm } from './terminal.ts';

const rootMilliseconds = 60_000;

type End = () => Promise<void> | void;

/** The road to a device over any Redfish service. @param warn told, in sentences, of what is left out */
export function remoteRoad(options: RemoteOptions, warn: (text: string) => void): Road {
  let opened: ReturnType<typeof openRoad> | undefined;
  const ends: End[] = [];
  const open = () => {
    opened ??= openRoad(options, warn, (end) => ends.push(end));
    return opened;
  };
  return {
    async manager() {
      const { connection, trust, service, map } = await open();
      const { places, events, clockOffset } = map;
      const copies = new EndpointCopies(service, warn);
      await copies.load(places);
      if (copies.endpoints().length === 0) throw nothingThere(options.url);
      const parts = {
        ...{ service, copies, events, warn },
        certificateService: certificateService(service, map.certificateService),
        rotation: followRotation(connection, trust),
      };
      const now = () => Date.now() + clockOffset;
      return {
        client: remoteClient(parts),
        administration: remoteAdministration(parts, now),
        tellsAll: copies.all().some(({ resource }) => extensionOf(resource) !== undefined),
        now,
      };
    },
    async accounts() {
      const { service, map } = await open();
      return remoteAccounts(service, map.accounts);
    },
    async close() {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}

/** @param onEnd told how each thing is to be ended that was begun, also where the rest fails */
async function openRoad(
  options: RemoteOptions,
  warn: (text: string) => void,
  onEnd: (end: End) => void,
) {
  const { url, fingerprint } = options;
  refuseWithoutLogin(options);
  const authorities = readAuthorities(options);
  const credential = readCredential(options);
  const trust = new PeerTrust({
    host: `${url.hostname}:${url.port || 443}`,
    hasAuthorities: authorities !== undefined,
    fingerprint,
    knownHosts: knownHosts(knownHostsPath()),
    confirm: terminalConfirm(),
    warn,
  });
  const connection = new Connection({ url, trust, authorities, credential });
  onEnd(() => connection.close());
  // A handshake shows the certificate of the client already: this one comes before, without
  if (credential) await trust.accept(await connection.probe());
  const exchange = { method: 'GET', path: '/redfish/v1/' } as const;
  const { body: root } = await connection.send(exchange, rootMilliseconds);
  const sessions = sessionsOf(connection, root, await readLogin(options));
  onEnd(() => sessions.end());
  await sessions.renew();
  const service = loggedIn(connection, sessions);
  return { connection, trust, service, map: await discover(service, root) };
}

function nothingThere({ origin }: URL): CommandError {
  const message = `The Redfish service at ${origin} shows this user no certificates; most services show them to administrators only.`;
  return new CommandError('denied', message);
}
