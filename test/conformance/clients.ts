import { maxMilliseconds, must, type Outcome, run } from '../e2e/commands.ts';

/** A string, an int64, or a list of strings. */
export type Argument = string | bigint | readonly string[];

/** An error as a client program shows it. */
export interface Refusal {
  readonly client: string;
  readonly name: string;
  readonly text: string;
}

/** A program that calls methods. None of them shares code with the manager or with another one. */
export interface Client {
  readonly name: string;
  /** @returns the strings, paths and numbers of the reply in their order. @throws when it is an error */
  call(path: string, method: string, ...args: readonly Argument[]): Promise<string[]>;
  /** What the program prints about an error. @throws when the call succeeds */
  failure(path: string, method: string, ...args: readonly Argument[]): Promise<string>;
}

interface Target {
  readonly address: string;
  readonly destination: string;
}

/** Seconds; by themselves the programs wait 25, which is less than an answer may take on a busy machine. */
const patience = maxMilliseconds / 1000;
const utf8 = { LC_ALL: 'C.UTF-8' };

/** sd-bus and GLib. */
export function clientsOf(target: Target): readonly [busctl: Client, gdbus: Client] {
  return [client('busctl', busctlWords, readJson), client('gdbus', gdbusWords, readVariant)];

  function client(name: string, words: typeof busctlWords, read: (text: string) => string[]) {
    return {
      name,
      call: async (path: string, method: string, ...args: readonly Argument[]) =>
        read(await must(name, words(target, path, method, args), '', utf8)),
      async failure(path: string, method: string, ...args: readonly Argument[]) {
        // Only the debug log of busctl says under which name an error came
        const environment = { ...utf8, SYSTEMD_LOG_LEVEL: 'debug' };
        const outcome = await run(name, words(target, path, method, args), '', environment);
        return failureOf(method, outcome);
      },
    };
  }
}

/** What libdbus says about an error; it cannot write empty lists. */
async function dbusSend(target: Target, path: string, method: string, args: readonly Argument[]) {
  const words = args.map((one) => {
    if (typeof one === 'bigint') return `int64:${one}`;
    return typeof one === 'string' ? `string:${one}` : `array:string:${one.join()}`;
  });
  const options = [`--reply-timeout=${1000 * patience}`, '--print-reply'];
  const head = [`--bus=${target.address}`, ...options, `--dest=${target.destination}`];
  return failureOf(method, await run('dbus-send', [...head, path, method, ...words]));
}

/** Makes a call that must fail with each of the programs. */
export async function refusals(
  target: Target,
  path: string,
  method: string,
  ...args: readonly Argument[]
): Promise<readonly Refusal[]> {
  const [busctl, gdbus] = clientsOf(target);
  const [viaSdBus, viaGlib, viaLibdbus] = await Promise.all([
    busctl.failure(path, method, ...args),
    gdbus.failure(path, method, ...args),
    dbusSend(target, path, method, args),
  ]);
  return [
    parsed(
      'busctl',
      /type=error .* error-name=(\S+) error-message=(.*?)\nCall failed: /s,
      viaSdBus,
    ),
    parsed('gdbus', glibError, viaGlib),
    parsed('dbus-send', /^Error ([\w.]+): (.*)/s, viaLibdbus),
  ];
}

/** gdbus adds a hint of its own when the arguments do not fit. */
const glibError = /GDBus\.Error:([\w.]+): (.*?)(?:\n\(According to introspection data, .*)?$/s;

function parsed(client: string, form: RegExp, output: string): Refusal {
  const [, name = output, text = ''] = form.exec(output) ?? [];
  return { client, name, text };
}

function failureOf(method: string, { status, stdout, stderr }: Outcome): string {
  if (status === 0) throw new Error(`${method} succeeded: ${stdout}`);
  return stderr.trim();
}

function splitMethod(method: string): readonly [string, string] {
  const dot = method.lastIndexOf('.');
  return [method.slice(0, dot), method.slice(dot + 1)];
}

function busctlWords(
  { address, destination }: Target,
  path: string,
  method: string,
  args: readonly Argument[],
): string[] {
  const signature = args.map((one) => {
    if (typeof one === 'bigint') return 'x';
    return typeof one === 'string' ? 's' : 'as';
  });
  const values = args.flatMap((one) =>
    typeof one === 'object' ? [String(one.length), ...one] : [String(one)],
  );
  const tail = args.length === 0 ? [] : [signature.join(''), '--', ...values];
  const options = [`--address=${address}`, `--timeout=${patience}`, '--json=short'];
  const head = [...options, 'call', destination, path];
  return [...head, ...splitMethod(method), ...tail];
}

function gdbusWords(
  { address, destination }: Target,
  path: string,
  method: string,
  args: readonly Argument[],
): string[] {
  const values = args.map((one) => {
    if (typeof one === 'bigint') return `int64 ${one}`;
    if (typeof one === 'string') return JSON.stringify(one);
    return `@as [${one.map((text) => JSON.stringify(text)).join()}]`;
  });
  const options = ['--address', address, '--timeout', String(patience)];
  const head = ['call', ...options, '--dest', destination, '--object-path', path];
  return [...head, '--method', method, '--', ...values];
}

function readJson(text: string): string[] {
  return text.trim() === '' ? [] : leaves(JSON.parse(text).data);
}

/** Variants are `{type, data}` in busctl's JSON, and only their data is a value. */
function leaves(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  if (Array.isArray(value)) return value.flatMap(leaves);
  if ('type' in value && 'data' in value) return leaves(value.data);
  return Object.entries(value).flatMap(([key, one]) => [key, ...leaves(one)]);
}

function readVariant(text: string): string[] {
  const literals = text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\b(\d+)\b/gs);
  return [...literals].map(([, single, double, number]) =>
    (single ?? double ?? number ?? '').replace(/\\(.)/gs, (_, one) => (one === 'n' ? '\n' : one)),
  );
}
