import type { Endpoint } from '../../manager/endpoint.ts';
import { fileOfCaller, openUpload } from '../../manager/upload.ts';
import { type Caller, type ServedInterface, serve } from '../server/interface.ts';
import {
  csrCreateInterface,
  csrInterface,
  deleteAllInterface,
  installAllInterface,
  installInterface,
  replaceAllInterface,
} from './certs-interfaces.ts';
import { asContent, type ContentInputs } from './content.ts';
import {
  enumName,
  reloadInterface,
  requestInterface,
  requestOutcomeInterface,
  uploadInterface,
} from './extension-interfaces.ts';
import type { ServiceRow } from './service-rows.ts';

export interface ManagerObjectOptions {
  readonly endpoint: Endpoint;
  readonly root: string;
  /** The largest content of an upload, in bytes. */
  readonly uploadBytes: number;
  /** Told why a request could not be made when its caller cannot be. */
  readonly reportRequest: (error: unknown) => void;
  readonly services: () => ServiceRow[];
  readonly reload: () => Promise<void>;
}

/** The root object of an endpoint. All types have all of these interfaces, as upstream. */
export function managerObject(options: ManagerObjectOptions): readonly ServedInterface[] {
  return [...upstreamInterfaces(options), ...ownInterfaces(options)];
}

function upstreamInterfaces(options: ManagerObjectOptions): readonly ServedInterface[] {
  const { endpoint, root, uploadBytes, reportRequest } = options;
  const file = ({ Path }: { readonly Path: string }, { user }: Caller) =>
    fileOfCaller(Path, uploadBytes, user);
  const pathOf = ({ id }: { readonly id: string }) => `${root}/${id}`;
  return [
    serve(installInterface, {
      methods: { Install: async (...call) => pathOf(await endpoint.install(file(...call))) },
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
        InstallAll: async (...call) => (await endpoint.installAll(file(...call))).map(pathOf),
      },
    }),
    serve(replaceAllInterface, {
      methods: {
        ReplaceAll: async (...call) => (await endpoint.replaceAll(file(...call))).map(pathOf),
      },
    }),
  ];
}

function ownInterfaces(options: ManagerObjectOptions): readonly ServedInterface[] {
  const { endpoint, root, uploadBytes, services, reload } = options;
  const { requests } = endpoint;
  const contentOf = (inputs: ContentInputs) => openUpload(asContent(inputs), uploadBytes);
  const pathOf = ({ id }: { readonly id: string }) => `${root}/${id}`;
  return [
    serve(uploadInterface, {
      methods: {
        Install: async (inputs) => pathOf(await endpoint.install(contentOf(inputs))),
        InstallAll: async (inputs) => (await endpoint.installAll(contentOf(inputs))).map(pathOf),
        ReplaceAll: async (inputs) => (await endpoint.replaceAll(contentOf(inputs))).map(pathOf),
      },
    }),
    serve(requestInterface, {
      methods: {
        Generate: (parameters) => requests.make(parameters),
        Outstanding: async () =>
          (await requests.outstanding()).map(({ id, created, pem = '' }) => [
            id,
            BigInt(Math.max(0, Math.floor(created.getTime() / 1000))),
            pem,
          ]),
        Discard: ({ Id }) => requests.discard(Id),
      },
    }),
    serve(reloadInterface, {
      properties: { Services: () => services() },
      methods: {
        Reload: () => reload(),
      },
    }),
  ];
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
