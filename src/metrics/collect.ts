import { type CertErrorCode, certErrors, isCertErrorCode } from '../core/cert-error.ts';
import type { Endpoint } from '../manager/endpoint.ts';
import type { StagedReplacements } from '../manager/replacement/staged-replacements.ts';
import type { Reloader, ReloadOutcome } from '../platform/reload.ts';
import { certificateSamples } from './certificate-samples.ts';
import type { Counts } from './counts.ts';
import { endpointLabel } from './endpoint-label.ts';
import type { SamplesOf } from './exposition.ts';
import type { managerMetrics } from './manager-metrics.ts';

/** Where the metrics come from. */
export interface MetricSources {
  readonly endpoints: () => readonly Endpoint[];
  /** Names of the methods that change something. */
  readonly operations: readonly string[];
  readonly counts: Counts;
  readonly reloader: Pick<Reloader, 'results'>;
  readonly replacements: Pick<StagedReplacements, 'stateOf' | 'deadlineOf'>;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The most certificates of an endpoint that are told of one by one. */
  readonly certificates: number;
}

/** Values that a counter may have: those that did not happen yet stand at 0, or Prometheus would not see the first. */
const reasons: readonly CertErrorCode[] = Object.keys(certErrors).filter(isCertErrorCode);
const attempts = ['reloaded', 'not-running', 'retrying', 'failed'] as const;
const outcomes = ['ok', 'refused'] as const;

export async function collectMetrics(
  sources: MetricSources,
): Promise<SamplesOf<typeof managerMetrics>> {
  const endpoints = sources.endpoints();
  return {
    ...certificateSamples(endpoints, sources.certificates),
    ...operationSamples(endpoints, sources),
    ...reloadSamples(endpoints, sources),
    certificates: endpoints.map((endpoint) => {
      const { type } = endpoint.definition;
      return { labels: { ...labelsOf(endpoint), type }, value: endpoint.list().length };
    }),
    pending: await pendingSamples(endpoints),
    replacementDeadline: endpoints.flatMap((endpoint) => {
      const state = sources.replacements.stateOf(endpoint.definition);
      if (state === 'none') return [];
      const value = Math.floor(sources.replacements.deadlineOf(endpoint.definition) / 1000);
      return [{ labels: { ...labelsOf(endpoint), state }, value }];
    }),
    startTime: [{ labels: {}, value: sources.startedAt / 1000 }],
  };
}

function labelsOf({ definition }: Endpoint) {
  return { endpoint: endpointLabel(definition) };
}

/** Nothing is told where the disk does not say what is pending. */
async function pendingSamples(endpoints: readonly Endpoint[]) {
  const all = endpoints.map(async (endpoint) => {
    try {
      const { length } = await endpoint.requests.outstanding();
      return [{ labels: labelsOf(endpoint), value: length }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(all)).flat();
}

function operationSamples(
  endpoints: readonly Endpoint[],
  { operations, counts }: MetricSources,
): Pick<SamplesOf<typeof managerMetrics>, 'operations' | 'failures'> {
  return {
    operations: endpoints.flatMap((endpoint) =>
      operations.flatMap((operation) =>
        outcomes.map((outcome) => ({
          labels: { ...labelsOf(endpoint), operation, outcome },
          value: counts.operations(endpoint.definition, operation, outcome),
        })),
      ),
    ),
    failures: endpoints.flatMap((endpoint) =>
      reasons.map((reason) => ({
        labels: { ...labelsOf(endpoint), reason },
        value: counts.failures(endpoint.definition, reason),
      })),
    ),
  };
}

function reloadSamples(
  endpoints: readonly Endpoint[],
  { counts, reloader }: MetricSources,
): Pick<SamplesOf<typeof managerMetrics>, 'reloads' | 'reloadSuccessful' | 'reloadTime'> {
  // Several endpoints may have one service
  const results = new Map(
    reloader
      .results(endpoints.flatMap(({ definition }) => definition.reload))
      .map((result) => [result.service, result]),
  );
  const ended = [...results.values()].filter(
    ({ outcome }) => outcome !== 'never' && outcome !== 'reloading',
  );
  return {
    reloads: [...results.keys()].flatMap((service) =>
      attempts.map((outcome) => ({
        labels: { service, outcome },
        value: counts.reloads(service, outcome),
      })),
    ),
    reloadSuccessful: ended.map(({ service, outcome }) => ({
      labels: { service },
      value: isFailure(outcome) ? 0 : 1,
    })),
    reloadTime: ended.map(({ service, at }) => ({ labels: { service }, value: at / 1000 })),
  };
}

function isFailure(outcome: ReloadOutcome): boolean {
  return outcome === 'failed' || outcome === 'retrying';
}
