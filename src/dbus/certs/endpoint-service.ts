import { reasonOf } from '../../core/cert-error.ts';
import { authorizeCaller } from '../server/caller-policy.ts';
import { ObjectServer } from '../server/object-server.ts';
import { connectBus, smallMessageBytes } from '../transport/bus.ts';
import { releaseName, requestName, shareName } from '../transport/bus-name.ts';
import type { CallLimits } from '../transport/call-flow.ts';
import type { MessageBounds } from '../transport/oversized-messages.ts';
import { auditCalls } from './audit-calls.ts';
import { busName, rootPath } from './endpoint-names.ts';
import { endpointPublisher } from './endpoint-publisher.ts';
import {
  contentSignatures,
  reloadInterface,
  replacementInterface,
} from './extension-interfaces.ts';
import { managerObject } from './manager-object.ts';
import type { PublishedEndpoint } from './published-endpoint.ts';
import { stagedReplacementObject } from './staged-replacement-object.ts';

export interface EndpointServiceOptions extends PublishedEndpoint {
  readonly busAddress: string;
  readonly calls: CallLimits;
  /** The bus went away: the endpoint cannot be reached any more. */
  readonly onLost: () => void;
}

/** A published endpoint. The name is taken last, when everything is there, as upstream does. */
export interface EndpointService {
  takeName(): Promise<void>;
  /** Gives the name up and refuses further calls. @returns when those in hand are answered */
  leave(): Promise<void>;
  close(): void;
}

/** Serves an endpoint on a connection of its own, so that each bus name has its own object tree. */
export async function serveEndpoint(options: EndpointServiceOptions): Promise<EndpointService> {
  const { endpoint, log, audit, callers, counter } = options;
  const name = busName(options.name);
  const root = rootPath(options.name);
  // A file in a message costs no more than its bytes; what else is large, an array behind the file too, costs
  // many times that
  const uploadBytes = smallMessageBytes + options.uploads.uploadBytes;
  const bounds: MessageBounds = ({ type, signature }) =>
    type === 'call' && contentSignatures.includes(signature) ? uploadBytes : smallMessageBytes;
  const bus = await connectBus(options.busAddress, bounds, options.calls);
  bus.onLost(options.onLost);
  const server = new ObjectServer({
    bus,
    root,
    authorize: authorizeCaller(callers, options.access),
    follow: auditCalls(audit, callers, (method, reason) =>
      counter.operationEnded(endpoint.definition, method, reason),
    ),
    report: ({ interface: called, member, sender }, error) => {
      log.error('method failed', {
        method: `${called}.${member}`,
        sender,
        reason: reasonOf(error),
      });
    },
  });
  const stopTelling = serveRoot(options, server, root);
  endpoint.subscribe(endpointPublisher(options, server));
  return {
    async takeName() {
      await shareName(bus, log);
      await requestName(bus, name);
    },
    async leave() {
      await releaseName(bus, name);
      await server.drain();
    },
    close() {
      stopTelling();
      bus.close();
    },
  };
}

/**
 * The object of the endpoint itself, and the signals that come from elsewhere than the endpoint.
 * @returns how to end these signals
 */
function serveRoot(
  options: EndpointServiceOptions,
  server: ObjectServer,
  root: string,
): () => void {
  const { endpoint, reloader, replacements } = options;
  const { reload: targets } = endpoint.definition;
  server.add(root, [...managerObject(options), stagedReplacementObject(options)]);
  const stopReloads = reloader.subscribe((service) => {
    if (!reloader.results(targets).some((one) => one.service === service)) return;
    server.announce(root, reloadInterface.name, ['Services']);
  });
  const stopReplacements = replacements.subscribe((event) => {
    if (event.endpoint === endpoint.definition)
      server.announce(root, replacementInterface.name, ['State', 'Id', 'Deadline']);
  });
  return () => {
    stopReloads();
    stopReplacements();
  };
}
