import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { clone } from '../e2e/stack.ts';

/** A Debian of this release with Git and Node, the network of this machine, and nothing else. */
export interface BareMachine {
  /** Runs a script of bash as root, in /root. */
  start(script: string): RunningScript;
  /** Runs a script as a user without rights, in /tmp. */
  startAsNobody(script: string): RunningScript;
  remove(): void;
}

export interface RunningScript {
  readonly process: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** @returns its exit status, and `null` when a signal ended it */
  readonly ended: Promise<number | null>;
}

/** Why this machine cannot have one; `undefined` when it can. */
export function whyNoBareMachine(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make the root directory of another Debian';
  if (!existsSync('/usr/bin/mmdebstrap')) return 'mmdebstrap is not installed';
  const [sources] = debianSources();
  if (sources === undefined) return 'this is not a Debian';
  const only = ['Dir::Etc::sourceparts=-', `Dir::Etc::sourcelist=${sources}`];
  const settings = [...only, 'APT::Update::Error-Mode=any', 'APT::Get::List-Cleanup=0'];
  const options = settings.flatMap((setting) => ['-o', setting]);
  const { status, stderr } = spawnSync('apt-get', ['update', '-qq', ...options]);
  if (status === 0) return undefined;
  return `packages of Debian cannot be fetched: ${String(stderr).split('\n')[0]}`;
}

/** @param repository the address under which Git finds the files of this clone */
export function makeBareMachine(repository: string): BareMachine {
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-bare-'));
  const root = join(scratch, 'root');
  installDebian(scratch, root);
  installNode(root);
  publishClone(root, repository);
  const environment = shareNetwork(root);
  return {
    start: (script) => run(root, ['HOME=/root', ...environment], '/root', [], script),
    startAsNobody: (script) => {
      const user = ['--userspec=65534:65534'];
      return run(root, ['HOME=/tmp', ...environment], '/tmp', user, script);
    },
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

function debianSources(): string[] {
  const files = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'];
  return files.filter(existsSync);
}

function installDebian(scratch: string, root: string): void {
  const release = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const settings = join(scratch, 'apt.conf');
  writeFileSync(settings, must('apt-config', ['dump', 'Acquire']));
  must('mmdebstrap', [
    ...['--quiet', '--variant=apt', '--include=git,ca-certificates', `--aptopt=${settings}`],
    ...[release ?? 'stable', root, ...debianSources()],
  ]);
}

/** As an archive of nodejs.org unpacked into /usr/local. */
function installNode(root: string): void {
  const modules = join(root, 'usr/local/lib/node_modules');
  mkdirSync(modules, { recursive: true });
  copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
  const npm = resolve(dirname(realpathSync('/usr/bin/npm')), '..');
  cpSync(npm, join(modules, 'npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

/** A commit of the files as they are, with what is not committed yet. */
function publishClone(root: string, repository: string): void {
  const published = join(root, 'repository');
  const list = ['-C', clone, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  for (const name of must('git', list).split('\0')) {
    const source = join(clone, name);
    if (name !== '' && existsSync(source)) cpSync(source, join(published, name));
  }
  const git = ['-C', published, '-c', 'user.name=test', '-c', 'user.email=test@example.com'];
  must('git', [...git, 'init', '--quiet']);
  must('git', [...git, 'add', '--all']);
  must('git', [...git, 'commit', '--quiet', '--message', 'the clone of the test']);
  const settings = `[url "file:///repository"]\n\tinsteadOf = ${repository}\n[safe]\n\tdirectory = *\n`;
  writeFileSync(join(root, 'etc/gitconfig'), settings);
}

/** Names and certificates by which this machine reaches others. @returns variables of the environment */
function shareNetwork(root: string): string[] {
  for (const name of ['resolv.conf', 'hosts'])
    copyFileSync(`/etc/${name}`, join(root, 'etc', name));
  const extra = process.env.NODE_EXTRA_CA_CERTS ?? '';
  const cafile = must('npm', ['config', 'get', 'cafile']).trim();
  const [roots, target] = [join(root, 'extra-roots.pem'), '/extra-roots.pem'];
  writeFileSync(roots, '');
  for (const file of [extra, cafile]) {
    if (existsSync(file)) appendFileSync(roots, readFileSync(file));
  }
  const variables = [];
  if (existsSync(extra)) variables.push(`NODE_EXTRA_CA_CERTS=${target}`);
  if (existsSync(cafile)) variables.push(`npm_config_cafile=${target}`);
  return variables;
}

function run(
  root: string,
  variables: readonly string[],
  directory: string,
  user: readonly string[],
  script: string,
): RunningScript {
  const inside = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$@"';
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const environment = ['env', '-i', '-C', directory, path, 'LANG=C.UTF-8', ...variables];
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', inside, root],
      ...[...user, root, ...environment, 'bash', '-c', script],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = once(child, 'close').then(([status]): number | null => status);
  return { process: child, output: () => text, ended };
}

function must(command: string, args: readonly string[]): string {
  const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status === 0) return stdout;
  throw new Error(`${command} ended with ${status}: ${error?.message ?? stderr}`);
}
