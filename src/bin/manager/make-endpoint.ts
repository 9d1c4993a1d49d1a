import { fileURLToPath } from 'node:url';
import type { Log } from '../../core/log.ts';
import type { HostedEndpoint } from '../../dbus/certs/endpoint-host.ts';
import type { ErrorEntry } from '../../dbus/peers/error-log.ts';
import { CredentialEndpoint } from '../../manager/credential/credential-endpoint.ts';
import { type CsrWorker, forkedWorker } from '../../manager/csr/forked-worker.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import type { EndpointDependencies } from '../../manager/endpoint-dependencies.ts';
import { AuthorityEndpoint } from '../../manager/truststore/authority-endpoint.ts';
import { debuggerNowhere } from '../../platform/debug-signal.ts';
import { hostAddresses } from '../../platform/host-addresses.ts';
import type { Reloader } from '../../platform/reload.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import { errorEntryOf } from './error-entries.ts';

/** What an endpoint is made of. */
export interface EndpointPlan
  extends Pick<EndpointSettings, 'definition' | 'rules' | 'worker'>,
    Partial<Pick<EndpointSettings, 'certificateNames'>> {
  readonly further?: Pick<EndpointDependencies, 'mayBeEmpty' | 'copyFile' | 'issuers'>;
}

export type MakeEndpoint = (plan: EndpointPlan) => Endpoint;

/**
 * @param makeError makes an entry in phosphor-logging
 * @returns what makes endpoints; those with the same limits for CSRs share the workers
 */
export function endpointMaker(
  reloader: Reloader,
  hostName: () => string,
  log: Log,
  makeError: (entry: ErrorEntry) => void,
): MakeEndpoint {
  const workers = new Map<string, CsrWorker>();
  const workerOf = (limits: EndpointSettings['worker']) => {
    const key = JSON.stringify(limits);
    const worker = workers.get(key) ?? csrWorker(limits);
    workers.set(key, worker);
    return worker;
  };
  return ({ definition, certificateNames, rules, worker, further }) => {
    const dependencies: EndpointDependencies = {
      ...rules,
      ...further,
      log,
      now: Date.now,
      identity: () => ({
        hostName: hostName(),
        // Only when they are wanted: a manager without descriptors cannot ask for them
        get addresses() {
          return hostAddresses();
        },
        configured: certificateNames ?? [],
      }),
      csrWorker: workerOf(worker),
      reload: ({ reload: targets }) => reloader.follow(targets),
      oweReload: ({ reload: targets }) => reloader.owe(targets),
    };
    const endpoint =
      definition.type === 'authority'
        ? new AuthorityEndpoint(definition, dependencies)
        : new CredentialEndpoint(definition, dependencies);
    endpoint.subscribe((event) => {
      const entry = errorEntryOf(definition, event);
      if (entry) makeError(entry);
    });
    return endpoint;
  };
}

/** An endpoint as the configuration has it, with what its host has to know. */
export function hostedEndpoint(settings: EndpointSettings, make: MakeEndpoint): HostedEndpoint {
  const { names, access, calls, signing, rules } = settings;
  const { expiryThresholds, limits: uploads } = rules;
  return { endpoint: make(settings), names, access, calls, signing, uploads, expiryThresholds };
}

function csrWorker(limits: EndpointSettings['worker']): CsrWorker {
  return forkedWorker({
    ...limits,
    // The programs lie beside each other when they are built
    script: fileURLToPath(new URL('./csr-worker.js', import.meta.url)),
    nodeOptions: [...process.execArgv, debuggerNowhere],
  });
}
