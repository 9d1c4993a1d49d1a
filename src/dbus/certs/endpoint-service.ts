import { parseSignatureAlgorithm } from '../../manager/signing/signature-algorithms.ts';
import { Signer, type SigningLimits } from '../../manager/signing/signer.ts';
import { authorizeCaller } from '../server/caller-policy.ts';
import { type ServedInterface, serve } from '../server/interface.ts';
import { ObjectServer, reportTo } from '../server/object-server.ts';
import { connectBus } from '../transport/bus.ts';
import { releaseName, requestName, shareName } from '../transport/bus-name.ts';
import type { CallLimits } from '../transport/call-flow.ts';
import { auditCalls } from './audit-calls.ts';
import { callBounds } from './content.ts';
import { busName, busNamespace, type EndpointName, rootPath } from './endpoint-names.ts';
import { endpointPublisher } from './endpoint-publisher.ts';
import { reloadInterface, replacementInterface, signingInterface } from './extension-interfaces.ts';
import { managerObject } from './manager-object.ts';
import type { PublishedEndpoint } from './published-endpoint.ts';
import { stagedReplacementObject } from './staged-replacement-object.ts';

export interface EndpointServiceOptions extends Omit<PublishedEndpoint, 'root' | 'label'> {
  readonly name: EndpointName;
  readonly busAddress: string;
  readonly calls: CallLimits;
  readonly signing: SigningLimits;
  /** The bus went away: the endpoint cannot be reached any more. */
  readonly onLost: () => void;
}

/** A published endpoint. The name is taken last, when everything is there, as upstream does. */
export interface EndpointService {
  takeName(): Promise<void>;
  /** Gives the name up and refuses further calls. @returns when those in hand are answered */
  leave(): Promise<void>;
  /** Leaves the queue for the name that all endpoints share. */
  leaveQueue(): Promise<void>;
  close(): void;
}

/** Serves an endpoint on a connection of its own, so that each bus name has its own object tree. */
export async function serveEndpoint(options: EndpointServiceOptions): Promise<EndpointService> {
  const { endpoint, log, audit, callers, counter } = options;
  const name = busName(options.name);
  const root = rootPath(options.name);
  const bounds = callBounds(options.uploads);
  const bus = await connectBus(options.busAddress, bounds, options.calls);
  bus.onLost(options.onLost);
  const server = new ObjectServer({
    bus,
    root,
    authorize: authorizeCaller(callers, options.access),
    follow: auditCalls(audit, callers, (_path, method, reason) =>
      counter.operationEnded(endpoint.definition, method, reason),
    ),
    report: reportTo(log),
  });
  const published = { ...options, root, label: name };
  const stopTelling = serveRoot(
    published,
    server,
    endpoint.definition.type === 'authority' ? [] : [signing(options)],
  );
  endpoint.subscribe(endpointPublisher(published, server));
  return {
    async takeName() {
      await shareName(bus);
      await requestName(bus, name);
    },
    async leave() {
      await releaseName(bus, name);
      await server.drain();
    },
    leaveQueue: () => releaseName(bus, busNamespace),
    close() {
      stopTelling();
      bus.close();
    },
  };
}

function signing({ endpoint, signing: limits }: EndpointServiceOptions): ServedInterface {
  const signer = new Signer(limits, () => performance.now());
  return serve(signingInterface, {
    methods: {
      Sign: ({ Request, Algorithm, Data }) =>
        signer.sign(endpoint, Request, parseSignatureAlgorithm(Algorithm), Data),
    },
  });
}

/**
 * The object of the endpoint itself, and the signals that come from elsewhere than the endpoint.
 * @returns how to end these signals
 */
export function serveRoot(
  published: PublishedEndpoint,
  server: ObjectServer,
  further: readonly ServedInterface[] = [],
): () => void {
  const { endpoint, root, reloader, replacements } = published;
  const { definition } = endpoint;
  server.add(root, [...managerObject(published), stagedReplacementObject(published), ...further]);
  const stopReloads = reloader.subscribe((service) => {
    if (!reloader.results(definition.reload).some((one) => one.service === service)) return;
    server.announce(root, reloadInterface.name, ['Services']);
  });
  const stopReplacements = replacements.subscribe((event) => {
    if (event.endpoint === definition)
      server.announce(root, replacementInterface.name, ['State', 'Id', 'Deadline']);
  });
  return () => {
    stopReloads();
    stopReplacements();
  };
}
