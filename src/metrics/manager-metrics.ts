import type { MetricSpecs } from './exposition.ts';

const endpoint = {
  endpoint:
    'as `bmc-certs` names it, such as `server/https`; `run-time/server/gnoi-server1` where it came at run time',
} as const;
const endpointType = { ...endpoint, type: '`server`, `client` or `authority`' } as const;
const certificate = {
  ...endpointType,
  id: 'number of the certificate at its endpoint',
  subject_cn: 'common name of its subject; empty where it has none',
  issuer_cn: 'common name of its issuer',
  serial: 'serial number, in hexadecimal',
} as const;
const service = { service: 'systemd unit, or path of the pid file' } as const;

/** What the certificate manager tells of itself. `docs/metrics.md` is made of these declarations. */
export const managerMetrics = {
  notAfter: {
    name: 'bmc_certificate_not_after_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate expires, in seconds since 1970; also after that time.',
    labels: certificate,
  },
  notBefore: {
    name: 'bmc_certificate_not_before_timestamp_seconds',
    type: 'gauge',
    help: 'When the validity of the certificate begins, in seconds since 1970.',
    labels: certificate,
  },
  selfSigned: {
    name: 'bmc_certificate_self_signed',
    type: 'gauge',
    help: '1 for the certificate of a server or client that no CA has issued, 0 for others.',
    labels: certificate,
  },
  warnings: {
    name: 'bmc_certificate_warnings',
    type: 'gauge',
    help: 'Number of warnings about the certificate of a server or client; bmc-certs show has them.',
    labels: certificate,
  },
  certificates: {
    name: 'bmc_certificate_installed',
    type: 'gauge',
    help: 'Number of certificates of the endpoint.',
    labels: endpointType,
  },
  pending: {
    name: 'bmc_certificate_pending_requests',
    type: 'gauge',
    help: 'Number of CSRs whose certificates have not come yet.',
    labels: endpoint,
  },
  replacementDeadline: {
    name: 'bmc_certificate_replacement_deadline_timestamp_seconds',
    type: 'gauge',
    help: 'When the staged replacement is undone unless its owner commits it, in seconds since 1970; absent without one.',
    labels: { ...endpoint, state: '`staged`, or `active` when it is in service' },
  },
  operations: {
    name: 'bmc_certificate_operations_total',
    type: 'counter',
    help: 'Calls on the D-Bus that change something.',
    labels: {
      ...endpoint,
      operation: 'name of the method, such as `Replace`',
      outcome: '`ok` or `refused`',
    },
  },
  failures: {
    name: 'bmc_certificate_failures_total',
    type: 'counter',
    help: 'Refused and failed operations, and CSRs that failed after their call was answered.',
    labels: { ...endpoint, reason: 'a code of [errors.md](errors.md)' },
  },
  reloads: {
    name: 'bmc_certificate_reloads_total',
    type: 'counter',
    help: 'Attempts to tell the service that its files changed.',
    labels: {
      ...service,
      outcome:
        '`reloaded`, `not-running`, `retrying` for an attempt that failed and is made again, `failed` for the last one',
    },
  },
  reloadSuccessful: {
    name: 'bmc_certificate_last_reload_successful',
    type: 'gauge',
    help: '0 when the last attempt to tell the service failed, 1 otherwise; absent before the first attempt has ended.',
    labels: service,
  },
  reloadTime: {
    name: 'bmc_certificate_last_reload_timestamp_seconds',
    type: 'gauge',
    help: 'When the last attempt to tell the service was made, in seconds since 1970.',
    labels: service,
  },
  startTime: {
    name: 'bmc_certificate_manager_start_time_seconds',
    type: 'gauge',
    help: 'When the manager started, in seconds since 1970, by the clock of that moment.',
    labels: {},
  },
} as const satisfies MetricSpecs;
