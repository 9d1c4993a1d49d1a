import type { CertificateClient } from '../manager/certificate-client.ts';
import type { EndpointKeys } from '../manager/endpoint-keys.ts';
import { pemContent } from '../x509/containers.ts';
import type { Device } from './device.ts';
import { keyOf, keyParameters } from './device-key.ts';

/** The device behind the manager: its configured endpoints. */
export function managerDevice(client: CertificateClient, keys: EndpointKeys): Device {
  return {
    inService(endpoint) {
      const [published] = client.list(endpoint);
      return published && { certificate: published.certificate, chain: published.chain };
    },
    authorities: (endpoint) => client.list(endpoint).map(({ certificate }) => certificate),
    async generate(endpoint, key) {
      // A manager that lists no requests cannot sign with their keys either, and would give up the key that it has
      await client.outstanding(endpoint);
      return keyOf(await client.makeRequest(endpoint, keyParameters(key)));
    },
    async pending(endpoint, id) {
      const outstanding = await client.outstanding(endpoint);
      const found = outstanding.find((one) => one.id === id);
      return found && keyOf(found.pem);
    },
    discard: (endpoint, id) => keys.discard(endpoint, id),
    sign(endpoint, request, { digest }, data) {
      const input = { algorithm: digest ?? 'none', data } as const;
      return keys.sign(endpoint, { ...input, ...(request !== undefined && { request }) });
    },
    async stage(endpoint, _request, pem) {
      const name = await keys.stage(endpoint, pemContent(pem));
      return {
        activate: () => keys.activate(endpoint, name),
        commit: () => keys.commit(endpoint, name),
        rollback: () => keys.rollback(endpoint, name),
      };
    },
  };
}
