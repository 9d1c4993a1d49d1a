import type { Content } from '../x509/containers.ts';
import type { EndpointRef } from './certificate-client.ts';
import type { SigningInput } from './edge-endpoints.ts';

/**
 * What an edge that enrols certificates asks of a configured endpoint, beside `CertificateClient`. Rejections are CertErrors, as
 * there. A replacement ends as it began unless it is committed: also with the connection of the edge.
 */
export interface EndpointKeys {
  sign(endpoint: EndpointRef, input: SigningInput): Promise<Buffer>;
  /** Gives up a key whose certificate has not come. */
  discard(endpoint: EndpointRef, id: string): Promise<void>;
  /** @returns the name of the replacement */
  stage(endpoint: EndpointRef, content: Content): Promise<string>;
  activate(endpoint: EndpointRef, replacement: string): Promise<void>;
  commit(endpoint: EndpointRef, replacement: string): Promise<void>;
  rollback(endpoint: EndpointRef, replacement: string): Promise<void>;
}
