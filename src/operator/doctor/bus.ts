import { CertError } from '../../core/cert-error.ts';
import { nameOf, originOf } from '../targets.ts';
import { type Examination, type Found, fault, warning } from './finding.ts';

/** Whether the manager serves on the bus what it is configured to serve. */
export const endpointsExamination: Examination = {
  check: 'endpoints',
  reach: 'device',
  good: 'every configured endpoint is on the bus',
  async examine({ manager: { client }, configuration }) {
    if (!configuration) return [];
    return configuration.endpoints
      .filter((endpoint) => !client.isAvailable(endpoint))
      .map((endpoint) =>
        fault(
          nameOf(endpoint),
          'it is configured, and this user does not find it on the bus',
          'restart bmc-certificate-manager.service; if that does not help, add the name of the endpoint to /usr/share/dbus-1/system.d/bmc-certificate-manager.conf',
        ),
      );
  },
};

/** Whether this user may change certificates: other users are not told of CSRs. */
export const accessExamination: Examination = {
  check: 'access',
  reach: 'extension',
  good: 'this user may change all certificates',
  async examine({ manager: { client } }) {
    const outcomes = await Promise.all(
      client.endpoints().map(async (endpoint) => {
        try {
          await client.outstanding(endpoint);
          return [];
        } catch (error) {
          if (!(error instanceof CertError) || error.code !== 'access-denied') throw error;
          const text = `this user may not change it (${error.message})`;
          const member =
            originOf(client, endpoint) === 'run time' ? 'runTimeEndpoints.access' : 'access';
          const next = `run bmc-certs as root, or name the user in "${member}" of the configuration`;
          return [warning(nameOf(endpoint), text, next)];
        }
      }),
    );
    return outcomes.flat();
  },
};

/** Whether services were told of the last change. */
export const reloadExamination: Examination = {
  check: 'services',
  reach: 'extension',
  good: 'every service was told of the last change, or there was none',
  async examine({ manager: { client, administration } }) {
    const all = client.endpoints().map(async (endpoint) => {
      const services = await administration.services(endpoint);
      return services.flatMap(({ service, outcome, reason }): Found[] => {
        const where = `${nameOf(endpoint)} → ${service}`;
        // A pid file that is nowhere may be a wrong one; a unit is what systemd says of it
        if (outcome === 'NotRunning' && service.startsWith('/')) {
          const text = 'the service did not run at the last change, and reads it when it starts';
          const next = 'if it does not run now, start it, or take it out of "reload"';
          return [warning(where, text, next)];
        }
        if (outcome !== 'Failed' && outcome !== 'Retrying') return [];
        const text = `the service could not be told: ${reason}`;
        const next = `repair the service, then run bmc-certs reload ${nameOf(endpoint)}`;
        return [fault(where, text, next)];
      });
    });
    return (await Promise.all(all)).flat();
  },
};

/** A staged replacement keeps out all other changes until it ends. */
export const replacementExamination: Examination = {
  check: 'replacement',
  reach: 'extension',
  good: 'no replacement is staged',
  async examine({ manager: { client, administration } }) {
    const all = client.endpoints().map(async (endpoint) => {
      const { state, deadline } = await administration.replacement(endpoint);
      if (state === 'None') return [];
      const until = deadline === undefined ? '' : ` until ${deadline.toISOString()}`;
      const text = `a replacement is ${state.toLowerCase()}${until}; other changes are refused`;
      const next = `end it with bmc-certs commit ${nameOf(endpoint)} or bmc-certs rollback ${nameOf(endpoint)}`;
      return [warning(nameOf(endpoint), text, next)];
    });
    return (await Promise.all(all)).flat();
  },
};
