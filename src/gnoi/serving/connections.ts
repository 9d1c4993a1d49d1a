import type { TLSSocket } from 'node:tls';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import type { ClientAuthentication } from './client-authentication.ts';

/** Hands connections to gRPC, apart by the mode in which their clients were authenticated. */
export interface Connections {
  accept(socket: TLSSocket, mode: ClientAuthentication): void;
  /** Ends the connections of other modes once their calls had time to end. */
  keepOnly(mode: ClientAuthentication): void;
  close(): void;
}

export function makeConnections(server: Server, drainMilliseconds: () => number): Connections {
  const injectors = new Map<ClientAuthentication, ConnectionInjector>();
  return {
    accept(socket, mode) {
      const injector =
        injectors.get(mode) ?? server.createConnectionInjector(ServerCredentials.createInsecure());
      injectors.set(mode, injector);
      injector.injectConnection(socket);
    },
    keepOnly(mode) {
      for (const [other, injector] of injectors) {
        if (other === mode) continue;
        injectors.delete(other);
        injector.drain(drainMilliseconds());
      }
    },
    close() {
      server.forceShutdown();
    },
  };
}
