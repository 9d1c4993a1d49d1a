import type { EndpointRef } from '../manager/certificate-client.ts';
import type { EdgeEndpoints } from '../manager/edge-endpoints.ts';
import { pemContent } from '../x509/containers.ts';
import type { Device, Target } from './device.ts';
import { keyOf, keyParameters } from './device-key.ts';

/** The device behind the manager: its endpoints that come and go at run time. */
export function runTimeDevice(endpoints: EdgeEndpoints): Device {
  const certificatesOf = (endpoint: EndpointRef) => endpoints.find(endpoint)?.certificates ?? [];
  return {
    inService(endpoint) {
      const [published] = certificatesOf(endpoint);
      return published && { certificate: published.certificate, chain: published.chain };
    },
    authorities: (endpoint) => certificatesOf(endpoint).map(({ certificate }) => certificate),
    async generate(endpoint, key) {
      return keyOf((await endpoints.generate(endpoint, keyParameters(key))).pem);
    },
    async pending(endpoint, id) {
      const outstanding = await endpoints.outstanding(endpoint);
      const found = outstanding.find((one) => one.id === id);
      return found && keyOf(found.pem);
    },
    discard: (endpoint, id) => endpoints.discard(endpoint, id),
    sign(endpoint, request, { digest }, data) {
      const input = { algorithm: digest ?? 'none', data } as const;
      return endpoints.sign(endpoint, { ...input, ...(request !== undefined && { request }) });
    },
    async stage(endpoint, request, pem) {
      const create = endpoints.find(endpoint) === undefined;
      const part = { endpoint, create, content: pemContent(pem), request };
      const name = await endpoints.stage([part]);
      return {
        activate: () => endpoints.activate(name),
        commit: () => endpoints.commit(name),
        rollback: () => endpoints.rollback(name),
      };
    },
  };
}

/** The whole device: each target is asked of the part where it is. */
export function deviceByOrigin(devices: Readonly<Record<Target['origin'], Device>>): Device {
  return {
    inService: (target) => devices[target.origin].inService(target),
    authorities: (target) => devices[target.origin].authorities(target),
    generate: (target, key) => devices[target.origin].generate(target, key),
    pending: (target, id) => devices[target.origin].pending(target, id),
    discard: (target, id) => devices[target.origin].discard(target, id),
    sign: (target, ...input) => devices[target.origin].sign(target, ...input),
    stage: (target, ...input) => devices[target.origin].stage(target, ...input),
  };
}
