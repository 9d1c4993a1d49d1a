import type { Log } from '../../core/log.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import { modificationTime } from '../../storage/modification-time.ts';
import { auditCalls } from '../certs/audit-calls.ts';
import { callBounds } from '../certs/content.ts';
import { endpointPublisher } from '../certs/endpoint-publisher.ts';
import { serveRoot } from '../certs/endpoint-service.ts';
import type { PublishedEndpoint } from '../certs/published-endpoint.ts';
import { type ServedInterface, serve } from '../server/interface.ts';
import { ObjectServer, reportTo } from '../server/object-server.ts';
import { connectBus } from '../transport/bus.ts';
import { releaseName, requestName } from '../transport/bus-name.ts';
import type { CallLimits } from '../transport/call-flow.ts';
import { callerCheck, policyFor, policyForAny } from './access.ts';
import {
  endpointInterface,
  endpointsInterface,
  signingSignature,
  stagingSignature,
} from './interfaces.ts';
import { endpointAt, endpointPath, endpointsName, endpointsRoot } from './paths.ts';
import { endpointsObject, type RootObjectOptions } from './root-object.ts';

export interface EndpointsServiceOptions
  extends Omit<RootObjectOptions, 'check' | 'callers'>,
    Pick<PublishedEndpoint, 'callers' | 'counter' | 'expiryThresholds' | 'now' | 'reloader'> {
  readonly busAddress: string;
  readonly calls: CallLimits;
  readonly log: Log;
  /** The bus went away: the endpoints cannot be reached any more. */
  readonly onLost: () => void;
}

export interface EndpointsService {
  /** Gives the name up and refuses further calls. @returns when those in hand are answered */
  leave(): Promise<void>;
  close(): void;
}

/**
 * Serves the endpoints of run time under one name, on one connection. Long because its parts follow each other and end together.
 * @throws when the bus does not give it the name
 */
export async function serveEndpoints(options: EndpointsServiceOptions): Promise<EndpointsService> {
  const { endpoints, bindings, callers, counter, rules, audit, log } = options;
  const large = [stagingSignature, signingSignature];
  const bus = await connectBus(
    options.busAddress,
    callBounds(options.uploads.authority, large),
    options.calls,
  );
  bus.onLost(options.onLost);
  const check = callerCheck(callers);
  const server = new ObjectServer({
    bus,
    root: endpointsRoot,
    authorize: (sender, path) => {
      const endpoint = endpointAt(path);
      // What a call at the root is about stands in its arguments
      return check(sender, endpoint ? policyFor(rules, 'change', endpoint) : policyForAny(rules));
    },
    follow: auditCalls(audit, callers, (path, method, reason) => {
      const key = endpointAt(path);
      const endpoint = key && endpoints.find(key);
      if (endpoint) counter.operationEnded(endpoint.definition, method, reason);
    }),
    report: reportTo(log),
  });
  server.add(endpointsRoot, [endpointsObject({ ...options, check })]);
  const served = new Map<Endpoint, Served>();
  const show = (endpoint: Endpoint) => served.set(endpoint, serveOne(options, server, endpoint));
  const stopFollowing = endpoints.subscribe(({ kind, endpoint }) => {
    if (kind === 'added') show(endpoint);
    else {
      served.get(endpoint)?.remove();
      served.delete(endpoint);
    }
  });
  for (const endpoint of endpoints.list()) show(endpoint);
  const stopBindings = bindings.subscribe(() => {
    server.announce(endpointsRoot, endpointsInterface.name, ['Bindings']);
    for (const { definition } of endpoints.list())
      server.announce(endpointPath(definition), endpointInterface.name, ['Services']);
  });
  const service = {
    async leave() {
      await releaseName(bus, endpointsName);
      await server.drain();
    },
    close() {
      stopFollowing();
      stopBindings();
      // They are still there, for the next manager: nobody is told that they went
      for (const { stop } of served.values()) stop();
      bus.close();
    },
  };
  await requestName(bus, endpointsName).catch((error: unknown) => {
    service.close();
    throw error;
  });
  return service;
}

interface Served {
  /** Tells no more of it. */
  stop(): void;
  /** Takes it from the bus. */
  remove(): void;
}

function serveOne(
  options: EndpointsServiceOptions,
  server: ObjectServer,
  endpoint: Endpoint,
): Served {
  const { endpoints, rules } = options;
  const { definition } = endpoint;
  const root = endpointPath(definition);
  const published: PublishedEndpoint = {
    ...options,
    ...{ endpoint, root, label: root, uploads: options.uploads[definition.type] },
    access: policyFor(rules, 'change', definition),
    findEndpoint(path) {
      const key = endpointAt(path);
      const found = key && endpoints.find(key);
      return found && { endpoint: found, access: policyFor(rules, 'change', found.definition) };
    },
  };
  const publish = endpointPublisher(published, server);
  const stopTelling = serveRoot(published, server, [ownInterface(options, endpoint)]);
  for (const installed of endpoint.list()) publish({ kind: 'added', installed });
  const stopFollowing = endpoint.subscribe((event) => {
    publish(event);
    if (['added', 'changed', 'removed'].includes(event.kind))
      server.announce(root, endpointInterface.name, ['Modified']);
  });
  const stop = () => {
    stopFollowing();
    stopTelling();
  };
  return {
    stop,
    remove() {
      stop();
      for (const { id } of endpoint.list()) server.remove(`${root}/${id}`);
      server.remove(`${root}/csr`);
      server.remove(root);
    },
  };
}

function ownInterface(
  { bindings }: EndpointsServiceOptions,
  { definition }: Endpoint,
): ServedInterface {
  const { name: id, path } = definition;
  return serve(endpointInterface, {
    properties: {
      Id: () => id,
      Services: () => bindings.of(definition).map(({ name }) => name),
      Modified: () => modificationTime(path),
    },
  });
}
