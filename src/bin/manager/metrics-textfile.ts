import type { Log } from '../../core/log.ts';
import { changingMethods } from '../../dbus/certs/changing-methods.ts';
import { collectMetrics, type MetricSources } from '../../metrics/collect.ts';
import { exposition } from '../../metrics/exposition.ts';
import { managerMetrics } from '../../metrics/manager-metrics.ts';
import { Textfile, type TextfileSettings } from '../../metrics/textfile.ts';
import type { Configuration } from '../../platform/configuration.ts';

type Sources = Pick<MetricSources, 'endpoints' | 'counts' | 'reloader' | 'replacements'>;

/** The textfile of the manager, where the configuration wants one. */
export function metricsTextfile(
  sources: Sources,
  log: Log,
): { follow(configuration: Configuration): Promise<void>; stop(): Promise<void> } {
  const startedAt = Date.now();
  let certificates = 0;
  const textfile = new Textfile({
    async text() {
      const all = { ...sources, startedAt, operations: changingMethods, certificates };
      return exposition(managerMetrics, await collectMetrics(all));
    },
    elapsed: () => performance.now(),
    log,
  });
  return {
    follow({ metrics }) {
      certificates = metrics.certificates;
      return textfile.follow(settingsOf(metrics));
    },
    stop: () => textfile.stop(),
  };
}

function settingsOf(metrics: Configuration['metrics']): TextfileSettings | undefined {
  const { textfile: path, textfileSeconds, refreshSeconds } = metrics;
  if (path === undefined) return undefined;
  return { path, every: textfileSeconds * 1000, refresh: refreshSeconds * 1000 };
}
