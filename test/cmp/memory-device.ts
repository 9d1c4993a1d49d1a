import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Device, InService } from '../../src/cmp/device.ts';
import { CertError } from '../../src/core/cert-error.ts';
import type { EndpointRef } from '../../src/manager/certificate-client.ts';
import { type Certificate, readCertificate } from '../../src/x509/certificate.ts';
import { generateKey, isSameKey, publicKeyHash, publicKeyInfo } from '../../src/x509/keys.ts';
import { parsePem } from '../../src/x509/pem.ts';

/** A manager in memory, which outlives the agent. */
export interface MemoryDevice extends Device {
  /** What is in service, with its key. */
  served: (InService & { readonly key: KeyObject }) | undefined;
  readonly keys: Map<string, KeyObject>;
  anchors: readonly Certificate[];
  isAway: boolean;
}

export function memoryDevice(anchors: readonly Certificate[]): MemoryDevice {
  const keys = new Map<string, KeyObject>();
  const present = () => {
    if (device.isAway) throw new CertError('unavailable', 'the manager is away');
  };
  const device: MemoryDevice = {
    served: undefined,
    keys,
    anchors,
    isAway: false,
    inService() {
      present();
      return device.served;
    },
    authorities() {
      present();
      return device.anchors;
    },
    async generate(_endpoint: EndpointRef, algorithm) {
      present();
      const key = generateKey(algorithm);
      const publicKey = createPublicKey(key);
      const id = publicKeyHash(publicKeyInfo(publicKey));
      keys.set(id, key);
      return { id, publicKey };
    },
    async pending(_endpoint, id) {
      present();
      const key = keys.get(id);
      return key && { id, publicKey: createPublicKey(key) };
    },
    async discard(_endpoint, id) {
      present();
      keys.delete(id);
    },
    async sign(_endpoint, request, { digest }, data) {
      present();
      const key = request === undefined ? device.served?.key : keys.get(request);
      if (!key) throw new CertError('not-found', 'there is no such key');
      return sign(digest, data, key);
    },
    async stage(_endpoint, request, pem) {
      present();
      const key = keys.get(request);
      const [certificate, ...chain] = parsePem(pem).map(({ der }) => readCertificate(der));
      if (!key || !certificate) throw new CertError('not-found', 'there is no such key');
      if (!isSameKey(createPublicKey(key), certificate.publicKey))
        throw new CertError('key-mismatch', 'it is for another key');
      const before = device.served;
      return {
        async activate() {
          present();
          device.served = { certificate, chain, key };
        },
        async commit() {
          present();
          keys.delete(request);
        },
        async rollback() {
          device.served = before;
        },
      };
    },
  };
  return device;
}
