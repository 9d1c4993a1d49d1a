import type { Configuration } from '../platform/configuration.ts';
import { contentLimitsOf } from '../platform/configuration.ts';
import { connectionsOfAddress } from '../tls/connection-limits.ts';
import type { GnoiSettings } from './gnoi-service.ts';

/** What the service needs of a configuration. */
export function gnoiSettings(configuration: Configuration): GnoiSettings {
  const { gnoi } = configuration;
  const { tls, seconds, limits } = gnoi;
  return {
    address: gnoi.address,
    port: gnoi.port,
    directory: gnoi.directory,
    streams: gnoi.streams,
    clientAuthentication: gnoi.clientAuthentication,
    tls: { profile: tls.profile, ticketMilliseconds: tls.ticketHours * 3_600_000 },
    work: {
      verify: gnoi.verify,
      nameBytes: limits.nameBytes,
      finalizeSeconds: seconds.finalize,
      content: contentLimitsOf(configuration),
    },
    steps: {
      firstMessageMilliseconds: seconds.firstMessage * 1000,
      signingMilliseconds: seconds.signing * 1000,
    },
    parkedMilliseconds: seconds.parked * 1000,
    drainMilliseconds: seconds.drain * 1000,
    listener: {
      connections: limits.connections,
      connectionsPerAddress: connectionsOfAddress(limits.connections, limits.addressPercent),
      handshakeMilliseconds: limits.handshakeSeconds * 1000,
      sendMilliseconds: limits.sendSeconds * 1000,
    },
    messageBytes: limits.messageBytes,
    streamsPerConnection: limits.streamsPerConnection,
  };
}
