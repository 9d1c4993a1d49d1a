import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../.cache/prometheus/', import.meta.url));

/** Where `scripts/prepare-prometheus.mjs` unpacked them, as `.ci/run` has it do. */
export const promtool = `${folder}promtool`;
const nodeExporter = `${folder}prometheus-node-exporter`;

/** Why the tests cannot run; `undefined` when they can. */
export function whyNoPrometheus(): string | undefined {
  const isThere = existsSync(promtool) && existsSync(nodeExporter);
  return isThere ? undefined : 'node scripts/prepare-prometheus.mjs was not run';
}

/** A node_exporter on loopback that reads textfiles and nothing else. */
export interface NodeExporter {
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

export async function startNodeExporter(directory: string): Promise<NodeExporter> {
  const args = [
    ...['--collector.disable-defaults', '--web.disable-exporter-metrics', '--collector.textfile'],
    ...[`--collector.textfile.directory=${directory}`, '--web.listen-address=127.0.0.1:0'],
  ];
  const child = spawn(nodeExporter, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const address = await new Promise<string>((resolve, reject) => {
    const said: string[] = [];
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      const [, found] = /address=(127\.0\.0\.1:\d+)/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`node_exporter ended: ${said.join('\n')}`)));
  });
  return {
    metrics: async () => (await fetch(`http://${address}/metrics`)).text(),
    async stop() {
      child.kill();
      await ended;
    },
  };
}
