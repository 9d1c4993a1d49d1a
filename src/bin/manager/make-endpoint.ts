import { fileURLToPath } from 'node:url';
import type { Log } from '../../core/log.ts';
import type { HostedEndpoint } from '../../dbus/certs/endpoint-host.ts';
import { CredentialEndpoint } from '../../manager/credential/credential-endpoint.ts';
import { type CsrWorker, forkedWorker } from '../../manager/csr/forked-worker.ts';
import type { EndpointDependencies } from '../../manager/endpoint-dependencies.ts';
import { AuthorityEndpoint } from '../../manager/truststore/authority-endpoint.ts';
import { debuggerNowhere } from '../../platform/debug-signal.ts';
import { hostAddresses } from '../../platform/host-addresses.ts';
import type { Reloader } from '../../platform/reload.ts';
import type { EndpointSettings } from './endpoint-settings.ts';

/** @returns what makes an endpoint of its settings; endpoints with the same limits for CSRs share the workers */
export function endpointMaker(
  reloader: Reloader,
  hostName: () => string,
  log: Log,
): (settings: EndpointSettings) => HostedEndpoint {
  const workers = new Map<string, CsrWorker>();
  const workerOf = (limits: EndpointSettings['worker']) => {
    const key = JSON.stringify(limits);
    const worker = workers.get(key) ?? csrWorker(limits);
    workers.set(key, worker);
    return worker;
  };
  return ({ definition, names, certificateNames, access, calls, rules, worker }) => {
    const dependencies: EndpointDependencies = {
      ...rules,
      log,
      now: Date.now,
      identity: () => ({
        hostName: hostName(),
        addresses: hostAddresses(),
        configured: certificateNames,
      }),
      csrWorker: workerOf(worker),
      reload: ({ reload: targets }) => reloader.reload(targets),
      oweReload: ({ reload: targets }) => reloader.owe(targets),
    };
    const endpoint =
      definition.type === 'authority'
        ? new AuthorityEndpoint(definition, dependencies)
        : new CredentialEndpoint(definition, dependencies);
    const { expiryThresholds, limits } = rules;
    return { endpoint, names, access, calls, uploads: limits, expiryThresholds };
  };
}

function csrWorker(limits: EndpointSettings['worker']): CsrWorker {
  return forkedWorker({
    ...limits,
    // The programs lie beside each other when they are built
    script: fileURLToPath(new URL('./csr-worker.js', import.meta.url)),
    nodeOptions: [...process.execArgv, debuggerNowhere],
  });
}
