import { type Configuration, contentLimitsOf } from '../platform/configuration.ts';
import { connectionsOfAddress } from '../tls/connection-limits.ts';
import type { NetconfSettings } from './netconf-service.ts';

/** What the service needs of a configuration. */
export function netconfSettings(configuration: Configuration): NetconfSettings {
  const { netconf } = configuration;
  const { seconds, limits } = netconf;
  const content = contentLimitsOf(configuration);
  const { address, port, service, clientAuthorities, lenientInteractive, trace } = netconf;
  return {
    ...{ address, port, service, clientAuthorities, lenientInteractive, trace },
    profile: netconf.tls.profile,
    bounds: {
      connections: limits.sessions,
      connectionsPerAddress: connectionsOfAddress(limits.sessions, limits.addressPercent),
      handshakeMilliseconds: limits.handshakeSeconds * 1000,
      sendMilliseconds: limits.sendSeconds * 1000,
    },
    session: {
      message: {
        bytes: limits.messageBytes,
        elements: limits.elements,
        depth: limits.depth,
        attributes: limits.attributes,
        nameLength: limits.nameLength,
      },
      helloMilliseconds: seconds.hello * 1000,
      idleMilliseconds: seconds.idle * 1000,
      closeMilliseconds: seconds.close * 1000,
    },
    peers: { chainCertificates: limits.chainCertificates, nameBytes: limits.nameBytes, content },
    datastore: { certDataFormat: netconf.certDataFormat, content },
  };
}
