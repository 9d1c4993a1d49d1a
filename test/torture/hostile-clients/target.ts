import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { processesWith, startUp } from '../../fakes/stack-process.ts';

/** The built programs, as `npm start` runs them, on a bus that every user of the machine reaches. */
export interface Target {
  readonly port: number;
  readonly bus: PrivateBus;
  readonly state: string;
  readonly password: string;
  /** Everything that the programs logged. */
  output(): string;
  /** What a program takes of the machine now. @throws when it does not run */
  takes(program: Program): Resources;
  /** Ends everything, and says whether a program ended before by itself. */
  stop(): Promise<void>;
}

const programs = ['redfish-server', 'certificate-manager', 'account-manager'] as const;
export type Program = (typeof programs)[number];

export interface Resources {
  readonly pid: number;
  /** Resident memory in megabytes. */
  readonly megabytes: number;
  readonly descriptors: number;
  /** Milliseconds of the processor since it began, in steps of 10. */
  readonly processorTime: number;
}

/** @param redfish members of that part of the configuration */
export async function startTarget(redfish: object = {}, others: object = {}): Promise<Target> {
  const bus = await startPrivateBus();
  const state = mkdtempSync(join(tmpdir(), 'hostile-'));
  const password = 'correct-horse-battery';
  const passwordFile = join(state, 'password');
  const configuration = join(state, 'given.json');
  writeFileSync(passwordFile, `${password}\n`);
  writeFileSync(configuration, JSON.stringify({ ...others, redfish }));
  const place = ['--state-dir', join(state, 'state'), '--bus', bus.address];
  // As the units of systemd have it
  const env = { ...process.env, NODE_OPTIONS: '--max-semi-space-size=1' };
  const stack = await startUp(
    [...place, ...['--password-file', passwordFile, '--config', configuration]],
    { env },
  );
  const pids = new Map<Program, number>();
  for (const program of programs) {
    const [pid] =
      [...processesWith(state)].find(([, line]) => line.includes(`${program}.js`)) ?? [];
    if (pid === undefined) throw new Error(`${program} does not run`);
    pids.set(program, pid);
  }
  return {
    port: Number(new URL(stack.ready.url ?? '').port),
    bus,
    state: join(state, 'state'),
    password,
    output: stack.output,
    takes: (program) => resourcesOf(pids.get(program) ?? 0),
    async stop() {
      stack.kill('SIGTERM');
      await stack.ended;
      await bus.stop();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

function resourcesOf(pid: number): Resources {
  const kilobytes = Number(
    /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
  );
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  // proc(5): utime and stime, in hundredths of a second, stand behind the name, which may hold anything
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const processorTime = 10 * (Number(fields[11]) + Number(fields[12]));
  return { pid, megabytes: Math.round(kilobytes / 1024), descriptors, processorTime };
}
