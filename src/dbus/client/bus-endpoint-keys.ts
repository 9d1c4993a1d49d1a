import { CertError } from '../../core/cert-error.ts';
import type { EndpointKeys } from '../../manager/endpoint-keys.ts';
import {
  replacementInterface,
  requestInterface,
  signingInterface,
} from '../certs/extension-interfaces.ts';
import type { BusCertificateClient } from './bus-certificate-client.ts';

/** The keys of endpoints over the bus, on the connection of a client, with which its replacements end. */
export function busEndpointKeys(client: BusCertificateClient): EndpointKeys {
  const spec = replacementInterface;
  return {
    async sign(endpoint, { request: Request = '', algorithm: Algorithm, data: Data }) {
      const method = { endpoint, spec: signingInterface, member: 'Sign' };
      const signature = await client.call(method, { Request, Algorithm, Data });
      if (Buffer.isBuffer(signature)) return signature;
      throw new CertError('internal', 'the manager answers without a signature');
    },
    async discard(endpoint, Id) {
      await client.call({ endpoint, spec: requestInterface, member: 'Discard' }, { Id });
    },
    async stage(endpoint, { bytes: Content, format: Format, password: Password }) {
      const inputs = { Content, Format, Password };
      const none = { Truststore: '', Bundle: Buffer.alloc(0), BundleFormat: '', Seconds: 0 };
      const staged = await client.call({ endpoint, spec, member: 'Stage' }, { ...inputs, ...none });
      return String(staged);
    },
    async activate(endpoint, Replacement) {
      await client.call({ endpoint, spec, member: 'Activate' }, { Replacement, Seconds: 0 });
    },
    async commit(endpoint, Replacement) {
      await client.call({ endpoint, spec, member: 'Commit' }, { Replacement });
    },
    async rollback(endpoint, Replacement) {
      await client.call({ endpoint, spec, member: 'Rollback' }, { Replacement });
    },
  };
}
