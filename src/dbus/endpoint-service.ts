import type { Endpoint, EndpointEvent, InstalledCertificate } from '../manager/endpoint.ts';
import type { Log } from '../platform/log.ts';
import { type AccessPolicy, makeGate } from './access.ts';
import { type Bus, connectBus } from './bus.ts';
import { certificateObject, changedProperties } from './certificate-object.ts';
import { busName, rootPath } from './endpoint-names.ts';
import { csrObject, managerObject } from './manager-object.ts';
import { ObjectServer } from './object-server.ts';

export interface EndpointServiceOptions {
  readonly endpoint: Endpoint;
  readonly busAddress: string;
  readonly access: AccessPolicy;
  readonly uploadBytes: number;
  readonly log: Log;
  /** The bus went away: nobody can reach the endpoint any more. */
  readonly onLost: () => void;
}

/** DBUS_REQUEST_NAME_FLAG_DO_NOT_QUEUE, and the reply for having become the owner. */
const doNotQueue = 4;
const primaryOwner = 1;

/**
 * Serves an endpoint under its well-known name, on a connection of its own so that the name has its own
 * object tree. The name is taken last, when everything is published, as upstream does.
 * @returns how to stop
 */
export async function serveEndpoint(options: EndpointServiceOptions): Promise<() => void> {
  const { endpoint, log, uploadBytes } = options;
  const { definition } = endpoint;
  const name = busName(definition);
  const root = rootPath(definition);
  const bus = await connectBus(options.busAddress);
  bus.onLost(options.onLost);
  const server = new ObjectServer({
    bus,
    root,
    gate: await makeGate(bus, options.access),
    report: (event, { interface: called, member, sender }, error) => {
      const reason = error instanceof Error ? error.message : String(error);
      const text = event === 'failure' ? 'method failed' : 'caller refused';
      log.error(text, { method: `${called}.${member}`, sender, reason });
    },
  });
  const reportRequest = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn('request not made', { endpoint: name, reason });
  };
  server.add(root, managerObject({ endpoint, root, uploadBytes, reportRequest }));
  const object = (installed: InstalledCertificate) =>
    certificateObject(endpoint, installed, uploadBytes);
  endpoint.subscribe((event) => publish(event));
  await endpoint.start();
  await takeName(bus, name);
  return () => {
    endpoint.stop();
    bus.close();
  };

  function publish(event: EndpointEvent): void {
    switch (event.kind) {
      case 'added':
        server.add(`${root}/${event.installed.id}`, object(event.installed));
        log.info('certificate added', describe(event.installed));
        break;
      case 'changed':
        publishChange(event.previous, event.installed);
        log.info('certificate replaced', describe(event.installed));
        break;
      case 'removed':
        server.remove(`${root}/${event.installed.id}`);
        log.info('certificate removed', describe(event.installed));
        break;
      case 'request':
        if (event.state === 'none') server.remove(`${root}/csr`);
        else server.add(`${root}/csr`, csrObject(endpoint));
    }
  }

  function publishChange(previous: InstalledCertificate, installed: InstalledCertificate): void {
    const path = `${root}/${installed.id}`;
    const [before] = object(previous);
    const after = object(installed);
    const [certificate] = after;
    if (!before || !certificate) return;
    server.update(path, after, certificate.spec.name, changedProperties(before, certificate));
  }

  function describe({ id, certificate }: InstalledCertificate) {
    const { fingerprint, notAfter } = certificate;
    const until = new Date(notAfter * 1000).toISOString();
    return { object: `${root}/${id}`, sha256: fingerprint.toLowerCase(), until };
  }
}

async function takeName(bus: Bus, name: string): Promise<void> {
  const [reply] = await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'RequestName',
    signature: 'su',
    body: [name, doNotQueue],
  });
  if (reply !== primaryOwner) throw new Error(`the bus name ${name} belongs to another process`);
}
