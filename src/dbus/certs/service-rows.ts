import type { ReloadOutcome, ReloadResult } from '../../platform/reload.ts';

/** What became of telling a service, as `Extension.Reload` shows it. */
export type ServiceRow = [
  service: string,
  outcome: string,
  reason: string,
  seconds: bigint,
  attempts: number,
];

const outcomeNames: Record<ReloadOutcome, string> = {
  never: 'Never',
  reloading: 'Reloading',
  reloaded: 'Reloaded',
  'not-running': 'NotRunning',
  retrying: 'Retrying',
  failed: 'Failed',
};

export function serviceRows(results: readonly ReloadResult[]): ServiceRow[] {
  return results.map(({ service, outcome, reason, at, attempts }) => {
    const seconds = BigInt(Math.max(0, Math.floor(at / 1000)));
    return [service, outcomeNames[outcome], reason, seconds, attempts];
  });
}
