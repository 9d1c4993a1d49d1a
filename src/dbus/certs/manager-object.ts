import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import { type Caller, type ServedInterface, serve } from '../server/interface.ts';
import {
  csrCreateInterface,
  csrInterface,
  deleteAllInterface,
  installAllInterface,
  installInterface,
  replaceAllInterface,
} from './certs-interfaces.ts';
import { type ContentInputs, openFile, openInputs } from './content.ts';
import {
  enumName,
  reloadInterface,
  requestInterface,
  requestOutcomeInterface,
  uploadInterface,
} from './extension-interfaces.ts';
import type { PublishedEndpoint } from './published-endpoint.ts';
import { requestRows } from './request-rows.ts';
import { serviceRows } from './service-rows.ts';

/** The root object of an endpoint. All types have all of these interfaces, as upstream. */
export function managerObject(published: PublishedEndpoint): readonly ServedInterface[] {
  return [...upstreamInterfaces(published), ...ownInterfaces(published)];
}

function upstreamInterfaces(published: PublishedEndpoint): readonly ServedInterface[] {
  const { endpoint, root, label, log, audit, counter } = published;
  const reportRequest = (error: unknown) => {
    counter.failed(endpoint.definition, error instanceof CertError ? error.code : 'internal');
    log.warn('request not made', {
      ...audit.change,
      endpoint: label,
      reason: reasonOf(error),
    });
  };
  const file = ({ Path }: { readonly Path: string }, caller: Caller) =>
    openFile(Path, published, caller, endpoint.definition);
  const pathsOf = pathsOfSeveral(published);
  return [
    serve(installInterface, {
      methods: {
        Install: async (...call) => `${root}/${(await endpoint.install(file(...call))).id}`,
      },
    }),
    serve(csrCreateInterface, {
      methods: {
        // Upstream answers at once, whatever the arguments; the outcome shows on the CSR object. A CSR that is not
        // even begun because of too many others is an error of the call: the object is that of another caller
        GenerateCSR(parameters) {
          endpoint.requests.begin(parameters).catch(reportRequest);
          return `${root}/csr`;
        },
      },
    }),
    serve(deleteAllInterface, {
      methods: {
        DeleteAll: () => endpoint.deleteAll(),
      },
    }),
    serve(installAllInterface, {
      methods: {
        InstallAll: async (...call) => pathsOf(await endpoint.installAll(file(...call))),
      },
    }),
    serve(replaceAllInterface, {
      methods: {
        ReplaceAll: async (...call) => pathsOf(await endpoint.replaceAll(file(...call))),
      },
    }),
  ];
}

function ownInterfaces(published: PublishedEndpoint): readonly ServedInterface[] {
  const { endpoint, root, reloader } = published;
  const { definition, requests } = endpoint;
  const contentOf = (inputs: ContentInputs, caller: Caller) =>
    openInputs(inputs, published, caller, definition);
  const pathsOf = pathsOfSeveral(published);
  return [
    serve(uploadInterface, {
      methods: {
        Install: async (...call) => `${root}/${(await endpoint.install(contentOf(...call))).id}`,
        InstallAll: async (...call) => pathsOf(await endpoint.installAll(contentOf(...call))),
        Add: async (...call) => pathsOf(await endpoint.add(contentOf(...call))),
        ReplaceAll: async (...call) => pathsOf(await endpoint.replaceAll(contentOf(...call))),
      },
    }),
    serve(requestInterface, {
      methods: {
        Generate: (parameters) => requests.make(parameters),
        Outstanding: async () => requestRows(await requests.outstanding()),
        Discard: ({ Id }) => requests.discard(Id),
      },
    }),
    serve(reloadInterface, {
      properties: { Services: () => serviceRows(reloader.results(definition.reload)) },
      methods: {
        Reload: () => reloader.reload(definition.reload),
      },
    }),
  ];
}

/** Where the certificates of one call are; the audit says how many. */
function pathsOfSeveral({ root, audit }: PublishedEndpoint) {
  return (installed: readonly { readonly id: string }[]): string[] => {
    audit.tell({ certificates: installed.length });
    return installed.map(({ id }) => `${root}/${id}`);
  };
}

/** The object of the newest request: `<root>/csr`. It appears even when the request failed. */
export function csrObject({ requests }: Endpoint): readonly ServedInterface[] {
  const { state, id = '', failure } = requests.outcome;
  const shown = state === 'ready' ? 'Ready' : 'Failed';
  return [
    serve(csrInterface, { methods: { CSR: () => requests.newest() } }),
    serve(requestOutcomeInterface, {
      properties: {
        State: () => enumName(requestOutcomeInterface, 'State', shown),
        Id: () => id,
        Error: () => failure?.code ?? '',
        Reason: () => failure?.reason ?? '',
      },
    }),
  ];
}
