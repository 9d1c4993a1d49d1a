import type { EndpointEvent } from '../../manager/endpoint-event.ts';
import type { ExpiryNews } from '../../manager/expiry.ts';
import type { InstalledCertificate } from '../../manager/installed-certificate.ts';
import { colonHex } from '../../x509/colon-hex.ts';
import type { ObjectServer } from '../server/object-server.ts';
import { certificateObject, changedProperties } from './certificate-object.ts';
import { certificateInterface } from './certs-interfaces.ts';
import { expiryInterface } from './extension-interfaces.ts';
import { csrObject } from './manager-object.ts';
import type { PublishedEndpoint } from './published-endpoint.ts';

/** Makes objects and signals of what happens at an endpoint, and a line of the log for each certificate. */
export function endpointPublisher(
  published: PublishedEndpoint,
  server: ObjectServer,
): (event: EndpointEvent) => void {
  const { endpoint, root, log, audit } = published;
  const pathOf = ({ id }: InstalledCertificate) => `${root}/${id}`;
  const object = (installed: InstalledCertificate) => certificateObject(published, installed);
  const tell = (message: string, installed: InstalledCertificate) => {
    const { fingerprint, notAfter } = installed.certificate;
    const until = new Date(notAfter * 1000).toISOString();
    const object = pathOf(installed);
    log.info(message, { ...audit.change, object, sha256: colonHex(fingerprint), until });
  };
  const update = (previous: InstalledCertificate, installed: InstalledCertificate) => {
    const path = pathOf(installed);
    const before = object(previous);
    const after = object(installed);
    server.update(path, after);
    for (const [at, served] of after.entries()) {
      server.announce(path, served.spec.name, changedProperties(before[at], served));
    }
  };
  const announceExpiry = ({ installed, changed, threshold, expiry }: ExpiryNews) => {
    const path = pathOf(installed);
    if (changed) server.announce(path, expiryInterface.name, ['State', 'DaysLeft']);
    if (threshold === undefined) return;
    server.emit(path, expiryInterface, 'ThresholdReached', [threshold, BigInt(expiry.daysLeft)]);
  };
  return (event) => {
    switch (event.kind) {
      case 'added':
        // Upstream sets each property of a new object on its own, before it announces the object
        server.add(pathOf(event.installed), object(event.installed), [certificateInterface.name]);
        tell('certificate added', event.installed);
        break;
      case 'changed':
        update(event.previous, event.installed);
        tell('certificate replaced', event.installed);
        break;
      case 'removed':
        server.remove(pathOf(event.installed));
        tell('certificate removed', event.installed);
        break;
      case 'request':
        if (event.state === 'none') server.remove(`${root}/csr`);
        else server.add(`${root}/csr`, csrObject(endpoint));
        break;
      case 'expiry':
        announceExpiry(event);
        break;
      case 'damaged':
        break;
      default:
        event satisfies never;
    }
  };
}
