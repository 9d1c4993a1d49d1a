import { createPublicKey } from 'node:crypto';
import type { CertificateClient, EndpointRef } from '../manager/certificate-client.ts';
import { withAbsent } from '../manager/csr/parameters.ts';
import type { EndpointKeys } from '../manager/endpoint-keys.ts';
import { requestedKeyInfo } from '../x509/certification-request.ts';
import { type KeyAlgorithm, publicKeyHash } from '../x509/keys.ts';
import { parsePem } from '../x509/pem.ts';
import type { Device, PendingKey } from './device.ts';

/** The device behind the manager: its configured endpoints. */
export function managerDevice(client: CertificateClient, keys: EndpointKeys): Device {
  return {
    inService(endpoint) {
      const [published] = client.list(endpoint);
      return published && { certificate: published.certificate, chain: published.chain };
    },
    authorities: (endpoint) => client.list(endpoint).map(({ certificate }) => certificate),
    async generate(endpoint, key) {
      return keyOf(await client.makeRequest(endpoint, withAbsent(parametersOf(key))));
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
    async stage(endpoint: EndpointRef, _request, pem) {
      const content = { bytes: Buffer.from(pem), format: 'PEM', password: '' } as const;
      const name = await keys.stage(endpoint, content);
      return {
        activate: () => keys.activate(endpoint, name),
        commit: () => keys.commit(endpoint, name),
        rollback: () => keys.rollback(endpoint, name),
      };
    },
  };
}

/** The name goes into the template of CMP: the CSR brings the key alone. */
function parametersOf(key: KeyAlgorithm) {
  if (key.kind === 'RSA')
    return { CommonName: 'cmp', KeyPairAlgorithm: 'RSA', KeyBitLength: BigInt(key.bits) };
  return { CommonName: 'cmp', KeyPairAlgorithm: 'EC', KeyCurveId: key.curve };
}

function keyOf(pem: string): PendingKey {
  const [request] = parsePem(pem);
  const info = requestedKeyInfo(request?.der ?? Buffer.alloc(0));
  const publicKey = createPublicKey({ key: info, format: 'der', type: 'spki' });
  return { id: publicKeyHash(info), publicKey };
}
