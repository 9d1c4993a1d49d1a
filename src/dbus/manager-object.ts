import type { Endpoint } from '../manager/endpoint.ts';
import { readUploadFile } from '../manager/upload.ts';
import {
  csrCreateInterface,
  csrInterface,
  deleteAllInterface,
  installAllInterface,
  installInterface,
  replaceAllInterface,
  requestInterface,
} from './certs-interfaces.ts';
import { type ServedInterface, serve } from './interface.ts';

export interface ManagerObjectOptions {
  readonly endpoint: Endpoint;
  readonly root: string;
  readonly uploadBytes: number;
  /** Told why a request could not be made when its caller cannot be. */
  readonly reportRequest: (error: unknown) => void;
}

/** The root object of an endpoint. All types have all of these interfaces, as upstream. */
export function managerObject(options: ManagerObjectOptions): readonly ServedInterface[] {
  const { endpoint, root, uploadBytes, reportRequest } = options;
  const read = (path: string) => readUploadFile(path, uploadBytes);
  const pathOf = ({ id }: { readonly id: string }) => `${root}/${id}`;
  return [
    serve(installInterface, {
      properties: {},
      methods: { Install: async ({ Path }) => pathOf(await endpoint.install(await read(Path))) },
    }),
    serve(csrCreateInterface, {
      properties: {},
      methods: {
        // Upstream answers at once, whatever the arguments; the outcome shows on the CSR object
        GenerateCSR(parameters) {
          endpoint.beginRequest(parameters).catch(reportRequest);
          return `${root}/csr`;
        },
      },
    }),
    serve(deleteAllInterface, {
      properties: {},
      methods: {
        async DeleteAll() {
          await endpoint.deleteAll();
          return undefined;
        },
      },
    }),
    serve(installAllInterface, {
      properties: {},
      methods: {
        InstallAll: async ({ Path }) => (await endpoint.installAll(await read(Path))).map(pathOf),
      },
    }),
    serve(replaceAllInterface, {
      properties: {},
      methods: {
        ReplaceAll: async ({ Path }) => (await endpoint.replaceAll(await read(Path))).map(pathOf),
      },
    }),
    serve(requestInterface, {
      properties: {},
      methods: { Generate: (parameters) => endpoint.makeRequest(parameters) },
    }),
  ];
}

/** The object of the newest request: `<root>/csr`. It appears even when the request failed. */
export function csrObject(endpoint: Endpoint): readonly ServedInterface[] {
  return [
    serve(csrInterface, { properties: {}, methods: { CSR: () => endpoint.newestRequest() } }),
  ];
}
